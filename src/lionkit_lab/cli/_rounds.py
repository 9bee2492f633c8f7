"""How far a measurement is, without disturbing it."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

_PAUSE = 0.5  # seconds between two drawings, at least: they warm other caches than the work that is timed


class Rounds:
    """Shows the rounds of one case, and is gone afterwards.

    Args:
        label: The case.
    """

    def __init__(self, label: str) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), TextColumn("left"), TimeRemainingColumn()
        # Drawn between the rounds alone: a thread of its own would take its share of a core.
        self._progress = Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True)
        self._task = self._progress.add_task(label, total=None)
        self._drawn = 0.0

    def tick(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` rounds are measured."""
        now = time.monotonic()
        if now - self._drawn >= _PAUSE:
            self._progress.update(self._task, completed=done, total=total, refresh=True)
            self._drawn = now

    def __enter__(self) -> Self:
        self._progress.start()
        self._progress.refresh()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
