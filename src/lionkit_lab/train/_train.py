"""One run, from its recipe to its end."""

import secrets
from contextlib import ExitStack
from pathlib import Path

from lionkit_lab import atomic, manifest, tasks
from lionkit_lab.engine import Engine, Processes, check_agreement
from lionkit_lab.errors import UsageError
from lionkit_lab.progress import Progress, Silent
from lionkit_lab.recipe import Recipe
from lionkit_lab.record import claim, open_manifest
from lionkit_lab.state import TrainingState
from lionkit_lab.trackers import Trackers
from lionkit_lab.train._ending import ending_together
from lionkit_lab.train._journal import opened
from lionkit_lab.train._loop import Loop
from lionkit_lab.watch import Watch


def train(recipe: Recipe, folder: Path, progress: Progress | None = None) -> None:
    """Train ``recipe`` in ``folder``, from the start or from where an earlier process was killed.

    A killed run that is trained again ends with the same weights and the same ``records.jsonl``, bit for bit,
    as one that was never killed (on the same machine and number of threads and processes). Under `torchrun` every
    process calls this; the first one writes.

    Args:
        recipe: What to train.
        folder: The run folder: new, empty, or one that holds this very run.
        progress: Hears of it.

    Raises:
        UsageError: The folder cannot be written, is in use, holds something else or is not shared; a tracker is
            missing; ``training.keep`` has a step that the run does not reach.
        DivergenceError: The loss is not finite; what is recorded stays.
        RunError: Data, records or the checkpoint are damaged, or the disk is full.
    """
    processes = Processes()
    with ending_together(processes, folder), ExitStack() as stack:
        check_agreement(recipe)
        note, tracking = (progress or Silent()).note, recipe.tracking
        trackers = Trackers(tracking.trackers, tracking.project, folder, recipe.as_run(), note)
        processes.on_first(lambda: stack.enter_context(claim(folder)))
        engine = Engine(recipe.engine, processes)
        task = processes.together(lambda: tasks.build(recipe))
        engine.feed(task)
        state = TrainingState(recipe, task, engine)
        _check_kept_steps(recipe, state.total)
        now = manifest.describe(recipe, task, state.num_parameters, processes)
        changes = processes.on_first(lambda: manifest.changes(open_manifest(folder, now), now))
        see_one_folder(folder, processes)
        journal = stack.enter_context(opened(folder, trackers, progress, processes))
        for note in task.notes if processes.is_first else ():
            journal.progress.note(note)
        Loop(recipe, folder, task, state, journal, changes, Watch(recipe)).run()


def see_one_folder(folder: Path, processes: Processes) -> None:
    """Let every process see that the run folder is one: each writes its shards there.

    Raises:
        UsageError: A process does not find what the first one wrote.
    """
    if processes.count == 1:
        return
    mark = processes.on_first(lambda: _new_mark(folder))

    def look() -> None:
        if not mark.exists():
            found = f"process {processes.rank} of {processes.count} does not find what the first one wrote there"
            raise UsageError(f"output folder {folder}: {found}; it must be one that all machines share")

    try:
        processes.together(look)
    finally:
        if processes.is_first:
            mark.unlink(missing_ok=True)


def _new_mark(folder: Path) -> Path:
    mark = folder / f"{secrets.token_hex(8)}{atomic.TEMPORARY}"
    mark.touch()
    return mark


def _check_kept_steps(recipe: Recipe, total: int) -> None:
    late = [step for step in recipe.training.kept_steps if step > total]
    if late:
        raise UsageError(f"training.keep: {late[0]} is not allowed: must be at most the run's {total} steps")
