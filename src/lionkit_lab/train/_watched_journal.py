"""What a run tells, and what it does when its watch has something to say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from lionkit_lab.errors import DivergenceError, StoppedError
from lionkit_lab.recipe import Recipe
from lionkit_lab.record import Record
from lionkit_lab.state import TrainingState
from lionkit_lab.train._journal import Journal
from lionkit_lab.train._turns import Rollback, Skip
from lionkit_lab.watch import Alarm, Watch


@dataclass
class WatchedJournal:
    """A run's journal, which its watch reads along: both hear of the state where it stands.

    Attributes:
        recipe: The run's.
        folder: The run folder.
        state: Of which the records tell.
        steps_per_epoch: Batches in a training epoch, at least 1.
        journal: Where they are written.
        watch: Who reads them.
    """

    recipe: Recipe
    folder: Path
    state: TrainingState
    steps_per_epoch: int
    journal: Journal
    watch: Watch

    def write(self, kind: str, **values: Any) -> None:
        """Write a record, and do what the watch says of it.

        Raises:
            Rollback: The watch asks for it.
            LabError: It ends the run.
        """
        record = self._record(kind, values, self.state.step)
        self.journal.write(record)
        self._show(record)

    def write_step(self, **values: float) -> None:
        """Write what came of the last step, which the watch has judged before it was taken."""
        self.journal.write(self._record("step", values, self.state.step))

    def judge(self, values: dict[str, float]) -> None:
        """Show the watch the step that is about to be taken.

        Args:
            values: ``loss`` (nats), and ``grad_l2`` where it is known.

        Raises:
            Skip: The step is not to be taken.
            Rollback: The run is to go back.
            LabError: It ends.
        """
        self._show(self._record("step", {"lr": self.state.lr, **values}, self.state.step + 1))

    def error(self, status: str, reason: str) -> DivergenceError:
        """Return what is raised where a run has ended early."""
        kind, what = (DivergenceError, "diverged") if status == "diverged" else (StoppedError, "was stopped")
        kept = f"what was recorded before is kept in {self.folder}"
        return kind(f"{reason} (lr {self.recipe.optimizer.lr:g}): the run {what}; {kept}")

    def note(self, text: str) -> None:
        """Say a line to whoever looks on."""
        self.journal.progress.note(f"{self.folder}: {text}")

    def warn(self, text: str) -> None:
        """Say a warning."""
        self.journal.progress.note(f"warning: {self.folder}: {text}")

    def _record(self, kind: str, values: dict[str, Any], step: int) -> Record:
        where = {} if kind == "end" else {"epoch": step / self.steps_per_epoch}
        return {"kind": kind, "step": step} | where | values

    def _show(self, record: Record) -> None:
        """Show a record to the watch, and do what it says: the processes have all seen the same."""
        if record["kind"] != "step":  # of which all have the same numbers; the test is the first one's
            record = self.state.engine.processes.on_first(lambda: record)
        alarms = self.watch.hear(record)
        for alarm in alarms:
            self._tell(alarm, record["step"])
        if alarms:
            self._obey(alarms[0], record)

    def _tell(self, alarm: Alarm, step: int) -> None:
        ends = alarm.action == "stop"
        if not (ends and alarm.status == "diverged"):  # which the end of the records says
            self.journal.write(self._record("warning", alarm.values(), step))
        if alarm.is_new and not ends:  # of which the error tells
            self.warn(alarm.text)

    def _obey(self, alarm: Alarm, record: Record) -> None:
        match alarm.action:
            case "stop":
                self._end_early(alarm)
            case "rollback":
                raise Rollback
            case "skip":
                raise Skip(record)
            case "warn":
                pass

    def _end_early(self, alarm: Alarm) -> NoReturn:
        self.write("end", status=alarm.status, reason=alarm.text)
        raise self.error(alarm.status, alarm.text)
