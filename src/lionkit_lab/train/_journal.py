"""What a run writes down and says, by its first process alone."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from lionkit_lab.engine import Processes
from lionkit_lab.progress import Progress, Silent
from lionkit_lab.record import Lines, Record
from lionkit_lab.trackers import Trackers


class Journal:
    """Records, timing, progress and trackers.

    Args:
        records: ``records.jsonl``; None on every process but the first, where nothing is written.
        timing: ``timing.jsonl``, or None.
        trackers: Hear of each record that was not written before.
        progress: Hears of the run.
    """

    def __init__(self, records: Lines | None, timing: Lines | None, trackers: Trackers, progress: Progress) -> None:
        self._records, self._timing, self._trackers, self.progress = records, timing, trackers, progress
        self._clock = time.perf_counter()
        self._step, self._optimizer_seconds = 0, 0.0  # at the last lap of training

    @property
    def count(self) -> int:
        """Records before the next one."""
        return self._records.count if self._records else 0

    @property
    def differing(self) -> int:
        """Records that came out otherwise than they stand."""
        return self._records.differing if self._records else 0

    def last(self) -> Record | None:
        """Return the last record that stands."""
        return self._records.last() if self._records else None

    def rewind(self, count: int) -> None:
        """Go back to the place after ``count`` records.

        Raises:
            RunError: There are fewer.
        """
        if self._records:
            self._records.rewind(count)

    def write(self, record: Record) -> None:
        """Write a record."""
        if self._records and self._records.write(record):
            self._trackers.hear(record)

    def sync(self) -> None:
        """Wait until the records are on the disk."""
        if self._records:
            self._records.sync()

    def lap(self, kind: str, step: int, **values: Any) -> None:
        """Write how long it has been since the last lap."""
        now = time.perf_counter()
        if self._timing:
            self._timing.write({"kind": kind, "step": step, "seconds": round(now - self._clock, 6)} | values)
        self._clock = now

    def lap_train(self, step: int, optimizer_seconds: float) -> None:
        """Write a lap of training, if there were steps since the last one.

        Args:
            step: Where the run stands.
            optimizer_seconds: What the optimizer's own part of the steps has taken so far, in this process.
        """
        steps, seconds = step - self._step, optimizer_seconds - self._optimizer_seconds
        if steps:
            self.lap("train", step, steps=steps, optimizer_seconds=round(seconds, 6))
        self._step, self._optimizer_seconds = step, optimizer_seconds

    def stand_at(self, step: int) -> None:
        """Count the steps of the next lap of training from ``step`` on."""
        self._step = step


@contextmanager
def opened(folder: Path, trackers: Trackers, progress: Progress | None, processes: Processes) -> Iterator[Journal]:
    """Open the journal of a run folder, and close it."""
    with ExitStack() as stack:
        if not processes.is_first:
            yield Journal(None, None, trackers, Silent())
            return
        records = stack.enter_context(Lines(folder / "records.jsonl"))
        timing = stack.enter_context(Lines(folder / "timing.jsonl"))
        stack.enter_context(trackers)
        yield Journal(records, timing, trackers, progress or Silent())
