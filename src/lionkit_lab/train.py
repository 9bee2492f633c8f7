"""Training epochs that alternate with logging epochs, recorded and resumable."""

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from lionkit import probes
from lionkit_lab import checkpoint, manifest, tasks
from lionkit_lab.errors import DivergenceError
from lionkit_lab.progress import Progress, Silent
from lionkit_lab.recipe import Recipe
from lionkit_lab.record import Lines, claim, open_manifest
from lionkit_lab.state import NonFiniteLossError, TrainingState
from lionkit_lab.tasks import Task


def train(recipe: Recipe, folder: Path, progress: Progress | None = None) -> None:
    """Train ``recipe`` in ``folder``, from the start or from where an earlier process was killed.

    A killed run that is trained again ends with the same weights and the same ``records.jsonl``, bit for bit,
    as one that was never killed (on the same machine and number of threads).

    Args:
        recipe: What to train.
        folder: The run folder: new, empty, or one that holds this very run.
        progress: Hears of it.

    Raises:
        UsageError: The folder cannot be written, is in use or holds something else.
        DivergenceError: The loss is not finite; what is recorded stays.
        RunError: Data, records or the checkpoint are damaged.
    """
    with ExitStack() as stack:
        stack.enter_context(claim(folder))
        task = tasks.build(recipe)
        state = TrainingState(recipe, task)
        now = manifest.describe(recipe, task, state.num_parameters)
        changes = manifest.changes(open_manifest(folder, now), now)
        records = stack.enter_context(Lines(folder / "records.jsonl"))
        timing = stack.enter_context(Lines(folder / "timing.jsonl"))
        _Loop(recipe, folder, task, state, records, timing, changes, progress or Silent()).run()


@dataclass
class _Loop:
    recipe: Recipe
    folder: Path
    task: Task
    state: TrainingState
    records: Lines
    timing: Lines
    changes: list[str]
    progress: Progress
    clock: float = field(default_factory=time.perf_counter)
    lap_step: int = 0
    lap_optimizer_seconds: float = 0.0

    def run(self) -> None:
        """Go on from the checkpoint to the end."""
        if self._has_ended():
            return
        if self.changes:
            what = f"begun with {'; '.join(self.changes)}"
            self.progress.note(f"warning: {self.folder}: {what}: bit-identity is not promised")
        self._resume_or_start()
        while self.state.step < self.state.total:
            self._train_step()
            if self._log_is_due() or self._checkpoint_is_due():
                self._pause()
        self._write("end", status="finished", reason="all steps are done", state_bytes=self.state.state_bytes)
        if self.records.differing:
            what = f"{self.records.differing} records came out otherwise than before the interruption"
            self.progress.note(f"warning: {self.folder}: {what}; those recorded first were kept")

    def _has_ended(self) -> bool:
        end = self.records.last()
        if end is None or end["kind"] != "end":
            return False
        if end["status"] == "diverged":
            raise DivergenceError(self._divergence(end["reason"]))
        self.progress.note(f"{self.folder}: finished already, at step {end['step']}")
        return True

    def _resume_or_start(self) -> None:
        saved = checkpoint.load(self.folder)
        if saved is None:
            self.records.rewind(0)
            self.progress.begin(0, self.state.total)
            self._pause()
            return
        self.state.load_state_dict(saved["state"])
        self.lap_step = self.state.step
        self.records.rewind(saved["num_records"])
        self.progress.note(f"{self.folder}: resumed at step {self.state.step}")
        self.progress.begin(self.state.step, self.state.total)

    def _train_step(self) -> None:
        lr = self.state.lr
        try:
            loss = self.state.update(self.task.batch(self.state.step))
        except NonFiniteLossError as error:
            self._diverge(str(error))
        if self.state.step % self.recipe.logging.step_every == 0:
            self._write("step", lr=lr, loss=loss)
        self.progress.step(self.state.step, loss)

    def _log_is_due(self) -> bool:
        every = self.recipe.logging.every
        period = self.task.steps_per_epoch if every == "epoch" else every
        return self.state.step % period == 0 or self.state.step == self.state.total

    def _checkpoint_is_due(self) -> bool:
        every = self.recipe.training.checkpoint_every
        return every is not None and self.state.step % every == 0

    def _pause(self) -> None:
        """Log if it is time to, then save: after a kill the run goes on from here."""
        if self.state.step:
            self._lap("train", **self._since_last_lap())
        kind = "log" if self._log_is_due() else "train"
        if kind == "log":
            self._log()
        self.records.sync()  # A checkpoint counts on the records before it.
        saved = {"state": self.state.state_dict(), "num_records": self.records.count}
        checkpoint.save(self.folder, self.state.step, saved)
        self._lap(kind)

    def _log(self) -> None:
        with self.state.weights_to_evaluate():
            self._measure()

    def _measure(self) -> None:
        full = probes.full_gradient(
            self.state.model,
            self.task.loss,
            self.task.logging_batches(),
            weight_decay=self.recipe.residual_weight_decay,
            batch_norm=self.recipe.logging.batch_norm,
        )
        self.state.model.eval()
        test = self.task.evaluate(self.state.model)
        self.state.model.train()
        total = {name: getattr(full.total, name) for name in _QUANTITIES}
        self._write("log", lr=self.state.lr, train_loss=full.loss, **test, **total, num_samples=full.num_samples)
        if not math.isfinite(full.loss):
            self._diverge(f"train loss is {full.loss} at step {self.state.step}")

    def _diverge(self, reason: str) -> NoReturn:
        self._write("end", status="diverged", reason=reason)
        raise DivergenceError(self._divergence(reason))

    def _divergence(self, reason: str) -> str:
        kept = f"what was recorded before is kept in {self.folder}"
        return f"{reason} (lr {self.recipe.optimizer.lr:g}): the run diverged; {kept}"

    def _write(self, kind: str, **values: Any) -> None:
        step = self.state.step
        where = {} if kind == "end" else {"epoch": step / self.task.steps_per_epoch}
        self.records.write({"kind": kind, "step": step} | where | values)

    def _lap(self, kind: str, **values: Any) -> None:
        now = time.perf_counter()
        self.timing.write({"kind": kind, "step": self.state.step, "seconds": round(now - self.clock, 6)} | values)
        self.clock = now

    def _since_last_lap(self) -> dict[str, Any]:
        """Return how many steps this process has taken since its last lap, and the time in the optimizer's own."""
        steps, seconds = self.state.step - self.lap_step, self.state.optimizer_seconds - self.lap_optimizer_seconds
        self.lap_step, self.lap_optimizer_seconds = self.state.step, self.state.optimizer_seconds
        return {"steps": steps, "optimizer_seconds": round(seconds, 6)}


_QUANTITIES = ("dim", "l1", "l2", "ratio", "ratio_over_sqrt_dim", "kkt_residual", "box_excess", "box_share")
