"""The loop: steps, logging epochs, checkpoints."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from lionkit.probes import Statistics
from lionkit_lab import checkpoint
from lionkit_lab.engine import Processes
from lionkit_lab.errors import DivergenceError, StoppedError
from lionkit_lab.recipe import Recipe
from lionkit_lab.record import Record
from lionkit_lab.state import TrainingState, restore, snapshot
from lionkit_lab.tasks import Task
from lionkit_lab.train._calendar import Calendar
from lionkit_lab.train._journal import Journal
from lionkit_lab.train._measure import Measurement
from lionkit_lab.train._turns import Rollback, Skip
from lionkit_lab.watch import Alarm, Watch


@dataclass
class Loop:
    """One run, from where its folder stands to its end; every process of it runs the same loop."""

    recipe: Recipe
    folder: Path
    task: Task
    state: TrainingState
    journal: Journal
    changes: list[str]
    watch: Watch
    lap_step: int = 0
    lap_optimizer_seconds: float = 0.0

    def __post_init__(self) -> None:
        self._calendar = Calendar(self.recipe, self.task, self.state.total)

    def run(self) -> None:
        """Go on from the checkpoint to the end."""
        if self._processes.on_first(self._has_ended):
            return
        if self.changes:
            self._warn(f"begun with {'; '.join(self.changes)}: bit-identity is not promised")
        self._resume_or_start()
        while self.state.step < self.state.total:
            try:
                self._train_step()
                self._pause_if_due()
            except Rollback:
                self._roll_back()
        self._write("end", status="finished", reason="all steps are done", state_bytes=self.state.state_bytes)
        if self.journal.differing:
            what = f"{self.journal.differing} records came out otherwise than before the interruption"
            self._warn(f"{what}; those recorded first were kept")

    @property
    def _processes(self) -> Processes:
        return self.state.engine.processes

    def _has_ended(self) -> bool:
        end = self.journal.last()
        if end is None or end["kind"] != "end":
            return False
        if end["status"] != "finished":
            raise self._error(end["status"], end["reason"])
        self._note(f"finished already, at step {end['step']}")
        return True

    def _resume_or_start(self) -> None:
        self.state.judge, self.state.judges_gradients = self._judge, self.watch.checks_gradients
        saved = checkpoint.load(self.folder, self._processes)
        if saved is None:
            self.journal.rewind(0)
            self.journal.progress.begin(0, self.state.total)
            self._pause()
            return
        self._restore(saved)
        self.journal.lap("load", self.state.step)
        self._processes.on_first(lambda: self.journal.rewind(saved.rest["num_records"]))
        self._note(f"resumed at step {self.state.step}")
        self.journal.progress.begin(self.state.step, self.state.total)

    def _restore(self, saved: checkpoint.Saved) -> None:
        restore(self.state, saved)
        self.lap_step = self.state.step
        self.watch.load_state_dict(saved.rest["watch"])
        self.watch.hear({"kind": "rollback", "step": self.state.step, "rollbacks": self.state.rollbacks})

    def _train_step(self) -> None:
        lr, step = self.state.lr, self.state.step + 1
        try:
            if self._calendar.is_observed(step):
                loss, seen = self.state.observed_update()
            else:
                loss, seen = self.state.update(), None
        except Skip as skip:
            self._skip(skip.record)
            return
        if self._calendar.is_recorded(step):
            self.journal.write(self._record("step", {"lr": lr, "loss": loss}, step))
        if seen:
            self._write("statistics", **_statistics_of(seen.total))
        self.journal.progress.step(step, loss)

    def _judge(self, values: dict[str, float]) -> None:
        """Show the watch a step before it is taken."""
        self._hear(self._record("step", {"lr": self.state.lr, **values}, self.state.step + 1))

    def _skip(self, record: Record) -> None:
        self.state.skip()
        self.journal.write(record | {"skipped": True})
        self.journal.progress.step(self.state.step, record["loss"])

    def _pause_if_due(self) -> None:
        if self._calendar.is_kept(self.state.step):
            self._keep()
        if self._calendar.is_saved(self.state.step):
            self._pause()

    def _pause(self) -> None:
        """Log if it is time to, then save: after a kill the run goes on from here."""
        self._lap_train()
        if self._calendar.is_logged(self.state.step):
            self._log()
            self.journal.lap("log", self.state.step)
        self.journal.sync()  # A checkpoint counts on the records before it.
        more = {"num_records": self.journal.count, "watch": self.watch.state_dict()}
        checkpoint.save(self.folder, snapshot(self.state, **more), self._processes)
        self.journal.lap("checkpoint", self.state.step)

    def _keep(self) -> None:
        self._lap_train()
        with self.state.weights_to_evaluate():
            weights = self.state.engine.whole_weights(self.state.model)
            checkpoint.keep(self.folder, self.state.step, weights, self._processes)
        self.journal.lap("keep", self.state.step)

    def _log(self) -> None:
        found = Measurement(self.recipe, self.task, self.state).take()
        self._write("log", lr=self.state.lr, **found)

    def _roll_back(self) -> None:
        """Stand at the last checkpoint with a smaller learning rate: smaller still if that was tried already."""
        left, count = self.state.step, self.state.rollbacks + 1
        self._lap_train()
        saved = checkpoint.load(self.folder, self._processes)
        assert saved is not None  # The watch asks for none before the first step, where one is made.
        self._restore(saved)
        self._processes.on_first(lambda: checkpoint.forget(self.folder, saved.step))
        self.journal.lap("load", self.state.step)
        self.state.cut_lr(self.watch.lr_factor ** (count - self.state.rollbacks))
        self.state.rollbacks = count
        self._write("rollback", lr=self.state.lr, left=left, rollbacks=count)
        self._note(f"back from step {left} to step {self.state.step}, with lr {self.state.lr:g}")

    def _end_early(self, alarm: Alarm) -> NoReturn:
        self._write("end", status=alarm.status, reason=alarm.text)
        raise self._error(alarm.status, alarm.text)

    def _error(self, status: str, reason: str) -> DivergenceError:
        kind, what = (DivergenceError, "diverged") if status == "diverged" else (StoppedError, "was stopped")
        kept = f"what was recorded before is kept in {self.folder}"
        return kind(f"{reason} (lr {self.recipe.optimizer.lr:g}): the run {what}; {kept}")

    def _write(self, kind: str, **values: Any) -> None:
        record = self._record(kind, values, self.state.step)
        self.journal.write(record)
        self._hear(record)

    def _record(self, kind: str, values: dict[str, Any], step: int) -> Record:
        where = {} if kind == "end" else {"epoch": step / self.task.steps_per_epoch}
        return {"kind": kind, "step": step} | where | values

    def _hear(self, record: Record) -> None:
        """Show a record to the watch, and do what it says: the processes have all seen the same."""
        if record["kind"] != "step":  # of which all have the same numbers; the test is the first one's
            record = self._processes.on_first(lambda: record)
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
            self._warn(alarm.text)

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

    def _note(self, text: str) -> None:
        self.journal.progress.note(f"{self.folder}: {text}")

    def _warn(self, text: str) -> None:
        self.journal.progress.note(f"warning: {self.folder}: {text}")

    def _lap_train(self) -> None:
        """Write how many steps this process has taken since its last such lap, and the time in the optimizer's own."""
        steps, seconds = self.state.step - self.lap_step, self.state.optimizer_seconds - self.lap_optimizer_seconds
        if steps:
            self.journal.lap("train", self.state.step, steps=steps, optimizer_seconds=round(seconds, 6))
        self.lap_step, self.lap_optimizer_seconds = self.state.step, self.state.optimizer_seconds


_STATISTICS = ("grad_l1", "grad_l2", "c_l1", "momentum_l1", "theta_max", "c_min", "ratio", "kkt_residual")
_SHARES = ("saturation", "zero_share", "agreement_share")


def _statistics_of(seen: Statistics) -> dict[str, float]:
    return {name: getattr(seen, name) for name in (*_STATISTICS, *_SHARES)}
