"""Who is alive: a folder that a worker locks for its life, and beats that others can hear."""

import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial

from lionkit_lab.errors import UsageError
from lionkit_lab.record import claim
from lionkit_lab.sweep._database import LOST

GRACE = 60.0
"""Seconds without a beat after which a worker on another machine counts as dead."""

_BEAT = 10.0  # seconds between two beats


class Worker:
    """This process, as others see it.

    Args:
        out: The folder of the sweep.
    """

    def __init__(self, out: Path) -> None:
        self._folders = out / "workers"
        self._name = uuid.uuid4().hex
        self._heard: dict[tuple[str, int], tuple[int, float]] = {}

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Hold this worker's folder; the system frees its lock when the process is killed."""
        with claim(self._folders / self._name):
            yield
        self._remove(self._name)

    def sign(self, trial: Trial) -> None:
        """Say whose trial it is."""
        trial.set_user_attr("worker", self._name)

    @contextmanager
    def working(self, trial: Trial) -> Iterator[None]:
        """Beat until the trial is done."""
        done = threading.Event()
        thread = threading.Thread(target=_beat, args=(trial, done), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def is_dead(self, study: str, trial: FrozenTrial) -> bool:
        """Say whether nobody works on a running trial any more."""
        worker = trial.user_attrs.get("worker")
        if worker == self._name:
            return True  # Taken just before the database went away: while it looks for work, this process has none.
        if worker and (self._folders / worker).exists():
            return self._is_free(worker)
        beat, now = trial.user_attrs.get("beat", 0), time.monotonic()
        heard, since = self._heard.setdefault((study, trial.number), (beat, now))
        if heard != beat:
            self._heard[study, trial.number] = beat, now
            return False
        return now - since > GRACE

    def bury(self, trial: FrozenTrial) -> None:
        """Remove what a dead worker left; its trial is somebody else's by now."""
        worker = trial.user_attrs.get("worker", self._name)
        if worker != self._name:
            self._remove(worker)

    def _is_free(self, worker: str) -> bool:
        try:
            with claim(self._folders / worker):
                return True
        except UsageError:
            return False

    def _remove(self, worker: str) -> None:
        shutil.rmtree(self._folders / worker, ignore_errors=True)


def _beat(trial: Trial, done: threading.Event) -> None:
    number = 0
    while not done.wait(_BEAT):
        number += 1
        try:
            trial.set_user_attr("beat", number)
        except LOST:
            pass  # The database is away: the work goes on.
        except UpdateFinishedTrialError:
            return  # Others thought this worker dead and took the trial up.
