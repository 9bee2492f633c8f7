"""One run, from its recipe to its end."""

from contextlib import ExitStack
from pathlib import Path

from lionkit_lab import manifest, tasks
from lionkit_lab.engine import Engine, Processes
from lionkit_lab.progress import Progress
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
        UsageError: The folder cannot be written, is in use or holds something else; a tracker is missing.
        DivergenceError: The loss is not finite; what is recorded stays.
        RunError: Data, records or the checkpoint are damaged, or the disk is full.
    """
    processes = Processes()
    with ending_together(processes, folder), ExitStack() as stack:
        trackers = Trackers(recipe.tracking.trackers, recipe.tracking.project, folder, recipe.as_run())
        processes.on_first(lambda: stack.enter_context(claim(folder)))
        engine = Engine(recipe.engine, processes)
        task = processes.together(lambda: tasks.build(recipe))
        engine.feed(task)
        state = TrainingState(recipe, task, engine)
        now = manifest.describe(recipe, task, state.num_parameters, processes)
        changes = processes.on_first(lambda: manifest.changes(open_manifest(folder, now), now))
        journal = stack.enter_context(opened(folder, trackers, progress, processes))
        for note in task.notes if processes.is_first else ():
            journal.progress.note(note)
        Loop(recipe, folder, task, state, journal, changes, Watch(recipe)).run()
