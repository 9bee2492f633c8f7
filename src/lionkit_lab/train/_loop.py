"""The loop: steps, logging epochs, checkpoints."""

from dataclasses import dataclass
from pathlib import Path

from lionkit.probes import Statistics
from lionkit_lab.recipe import Recipe
from lionkit_lab.record import Record
from lionkit_lab.state import TrainingState
from lionkit_lab.tasks import Task
from lionkit_lab.train._calendar import Calendar
from lionkit_lab.train._checkpoints import Checkpoints
from lionkit_lab.train._journal import Journal
from lionkit_lab.train._measure import Measurement
from lionkit_lab.train._turns import Rollback, Skip
from lionkit_lab.train._watched_journal import WatchedJournal
from lionkit_lab.watch import Watch


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

    def __post_init__(self) -> None:
        self._calendar = Calendar(self.recipe, self.task, self.state.total)
        epoch = self.task.steps_per_epoch
        self._told = WatchedJournal(self.recipe, self.folder, self.state, epoch, self.journal, self.watch)
        self._checkpoints = Checkpoints(self._told)

    def run(self) -> None:
        """Go on from the checkpoint to the end."""
        if self.state.engine.processes.on_first(self._has_ended):
            return
        if self.changes:
            self._told.warn(f"begun with {'; '.join(self.changes)}: bit-identity is not promised")
        self._resume_or_start()
        while self.state.step < self.state.total:
            try:
                self._train_step()
                self._pause_if_due()
            except Rollback:
                self._lap_train()
                self._checkpoints.roll_back()
        self._told.write("end", status="finished", reason="all steps are done", state_bytes=self.state.state_bytes)
        if self.journal.differing:
            what = f"{self.journal.differing} records came out otherwise than before the interruption"
            self._told.warn(f"{what}; those recorded first were kept")

    def _has_ended(self) -> bool:
        end = self.journal.last()
        if end is None or end["kind"] != "end":
            return False
        if end["status"] != "finished":
            raise self._told.error(end["status"], end["reason"])
        self._told.note(f"finished already, at step {end['step']}")
        return True

    def _resume_or_start(self) -> None:
        self.state.judge, self.state.judges_gradients = self._told.judge, self.watch.checks_gradients
        if not self._checkpoints.resume():
            self._pause()

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
            self._told.write_step(lr=lr, loss=loss)
        if seen:
            self._told.write("statistics", **_statistics_of(seen.total))
        self.journal.progress.step(step, loss)

    def _skip(self, record: Record) -> None:
        self.state.skip()
        self.journal.write(record | {"skipped": True})
        self.journal.progress.step(self.state.step, record["loss"])

    def _pause_if_due(self) -> None:
        if self._calendar.is_kept(self.state.step):
            self._lap_train()
            self._checkpoints.keep()
        if self._calendar.is_saved(self.state.step):
            self._pause()

    def _pause(self) -> None:
        """Log if it is time to, then save."""
        self._lap_train()
        if self._calendar.is_logged(self.state.step):
            found = Measurement(self.recipe, self.task, self.state).take()
            self._told.write("log", lr=self.state.lr, **found)
            self.journal.lap("log", self.state.step)
        self._checkpoints.save()

    def _lap_train(self) -> None:
        self.journal.lap_train(self.state.step, self.state.optimizer_seconds)


_STATISTICS = ("grad_l1", "grad_l2", "c_l1", "momentum_l1", "theta_max", "c_min", "ratio", "kkt_residual")
_SHARES = ("saturation", "zero_share", "agreement_share")


def _statistics_of(seen: Statistics) -> dict[str, float]:
    return {name: getattr(seen, name) for name in (*_STATISTICS, *_SHARES)}
