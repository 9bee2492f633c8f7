"""The work of one process on a sweep."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from optuna.trial import Trial

from lionkit_lab.errors import DivergenceError, LabError
from lionkit_lab.progress import Progress
from lionkit_lab.record import read_run
from lionkit_lab.sweep._database import Database
from lionkit_lab.sweep._outcome import Outcome
from lionkit_lab.sweep._study import ArmStudy
from lionkit_lab.sweep._worker import Worker
from lionkit_lab.train import train

_POLL = 1.0  # seconds between two looks at what others do


class Listener(Progress, Protocol):
    """Hears of all runs of a sweep."""

    def start(self, label: str) -> None:
        """Hear that the next run of this process begins."""

    def finish(self, result: str) -> None:
        """Hear how it ended."""

    def reach(self, finished: int) -> None:
        """Hear how many of all runs are finished, by whichever process."""


def run(studies: Sequence[ArmStudy], database: Database, out: Path, listener: Listener) -> None:
    """Train until every trial of every arm is done, here or by other processes.

    A trial whose worker was killed is taken up again, and each of its runs goes on from its last checkpoint where this
    process sees the run folder. A run that diverges is a result.

    Args:
        studies: The arms.
        database: Where their trials are.
        out: The folder of the run folders; processes on one machine share it.
        listener: Hears of it.

    Raises:
        UsageError: A run folder is in use, or holds something else.
        RunError: A run's files are damaged, or the database stayed away.
    """
    worker, total, told = Worker(out), num_runs(studies), False
    with worker.alive():
        while (finished := database.call(lambda: num_finished(studies))) < total:
            listener.reach(finished)
            claimed = database.call(lambda: _claim(studies, worker))
            if claimed:
                _work(*claimed, worker, database, out, listener)
                continue
            if not told:
                listener.note("nothing is left but what other processes train: waiting for them")
                told = True
            time.sleep(_POLL)
        listener.reach(finished)


def num_runs(studies: Sequence[ArmStudy]) -> int:
    """Return how many runs the sweep has."""
    return sum(study.num_trials * len(study.goal.seeds) for study in studies)


def num_finished(studies: Sequence[ArmStudy]) -> int:
    """Return how many of them belong to trials that are done."""
    return sum(len(study.finished()) * len(study.goal.seeds) for study in studies)


def _claim(studies: Sequence[ArmStudy], worker: Worker) -> tuple[ArmStudy, Trial] | None:
    for study in studies:
        if trial := study.claim(worker):
            return study, trial
    return None


def _work(study: ArmStudy, trial: Trial, worker: Worker, database: Database, out: Path, listener: Listener) -> None:
    lr = trial.params["lr"]
    with worker.working(trial):
        outcomes = [_train(study, lr, seed, folder, listener) for seed, folder in study.folders(out, lr)]
    database.call(lambda: study.finish(trial, outcomes))


def _train(study: ArmStudy, lr: float, seed: int, folder: Path, listener: Listener) -> Outcome:
    label = f"{study.arm.title} lr {lr:g} seed {seed}"
    listener.start(label)
    try:
        train(study.arm.run(lr, seed), folder, listener)
    except DivergenceError as error:
        listener.finish(f"{label}: {error}")
        return Outcome.of(read_run(folder))
    except LabError as error:
        raise type(error)(f"{error}; finished runs are kept: the same command goes on") from error
    outcome = Outcome.of(read_run(folder))
    listener.finish(f"{label}: train loss {outcome.values['train_loss']:.4f}")
    return outcome
