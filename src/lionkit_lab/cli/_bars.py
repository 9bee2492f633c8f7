"""Progress bars with the time left."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

_SPEED_PERIOD = 600.0  # seconds: the time left is that of all runs, and some optimizers are slower than others


class Bars:
    """Shows one run and, when there are several, all of them; a `lionkit_lab.progress.Progress`."""

    def __init__(self, num_runs: int = 1) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<36}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[loss]}"),
            console=Console(stderr=True),
            speed_estimate_period=_SPEED_PERIOD,
        )
        self._all = self._progress.add_task("all runs", total=num_runs, visible=num_runs > 1, loss="")
        self._run = self._progress.add_task("", total=None, loss="")
        self._finished = 0
        self._total = 1

    def expect(self, num_runs: int, finished: int) -> None:
        """Turn to so many runs, of which so many are finished before the clock starts."""
        self._finished = finished
        self._progress.reset(self._all, total=num_runs, completed=finished, visible=num_runs > 1)

    def reach(self, finished: int) -> None:
        """Show that so many of all runs are finished, by whichever process."""
        self._finished = finished
        self._progress.update(self._all, completed=finished)

    def start(self, label: str) -> None:
        """Turn to the next run."""
        self._progress.reset(self._run, total=None, description=label, loss="")

    def finish(self, result: str) -> None:
        """Count the run as done and say how it ended."""
        self._finished += 1
        self._progress.update(self._all, completed=self._finished)
        self.note(result)

    def begin(self, done: int, total: int) -> None:
        """Show the run at step ``done`` of ``total``."""
        self._total = total
        self._progress.update(self._run, completed=done, total=total)

    def step(self, done: int, loss: float) -> None:
        """Show step ``done`` and its loss."""
        self._progress.update(self._run, completed=done, loss=f"loss {loss:.3f}")
        self._progress.update(self._all, completed=self._finished + done / self._total)

    def note(self, message: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(message, markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
