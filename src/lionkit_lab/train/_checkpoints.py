"""The checkpoints of a run: made, taken up again, gone back to."""

from dataclasses import dataclass

from lionkit_lab import checkpoint
from lionkit_lab.engine import Processes
from lionkit_lab.state import resized_from, restore, snapshot
from lionkit_lab.train._watched_journal import WatchedJournal


@dataclass
class Checkpoints:
    """Those of one run, whose state, records and watch stand in each at the same step.

    Attributes:
        told: What the run tells.
    """

    told: WatchedJournal

    def __post_init__(self) -> None:
        self._folder, self._state = self.told.folder, self.told.state
        self._journal, self._watch = self.told.journal, self.told.watch

    @property
    def _processes(self) -> Processes:
        return self._state.engine.processes

    def save(self) -> None:
        """Make one: after a kill the run goes on from here.

        Raises:
            DivergedWorkerError: Processes that agree have other weights, of which it would hold one's.
            RunError: It cannot be written.
        """
        self._state.engine.require_same_weights()
        self._journal.sync()  # A checkpoint counts on the records before it.
        more = {"num_records": self._journal.count, "watch": self._watch.state_dict()}
        checkpoint.save(self._folder, snapshot(self._state, **more), self._processes)
        self._journal.lap("checkpoint", self._state.step)

    def keep(self) -> None:
        """Write the weights of the step to a file that stays: the optimizer's answer."""
        with self._state.weights_to_evaluate():
            weights = self._state.engine.whole_weights(self._state.model)
            checkpoint.keep(self._folder, self._state.step, weights, self._processes)
        self._journal.lap("keep", self._state.step)

    def resume(self) -> bool:
        """Take the run up where it was saved last, and say whether it was; its records go on from there.

        Raises:
            RunError: The checkpoint is damaged, or there are fewer records than before it.
        """
        saved = checkpoint.load(self._folder, self._processes)
        if saved is None:
            self._journal.rewind(0)
            self._journal.progress.begin(0, self._state.total)
            return False
        self._restore(saved)
        self._journal.lap("load", self._state.step, **self._resized(saved))
        self._processes.on_first(lambda: self._journal.rewind(saved.rest["num_records"]))
        self.told.note(f"resumed at step {self._state.step}")
        self._journal.progress.begin(self._state.step, self._state.total)
        return True

    def _resized(self, saved: checkpoint.Saved) -> dict[str, int | str]:
        """Return, where other processes agree from here on, how many did and do, and with which momenta they go on."""
        before = resized_from(self._state, saved)
        if before is None:
            return {}
        now, momenta = self._processes.count, self._state.engine.settings.momenta
        self.told.warn(f"{before} processes had momenta, {now} go on: engine.momenta {momenta}")
        return {"workers_before": before, "workers": now, "momenta": momenta}

    def roll_back(self) -> None:
        """Stand at the last checkpoint with a smaller learning rate: smaller still if that was tried already."""
        left, count = self._state.step, self._state.rollbacks + 1
        saved = checkpoint.load(self._folder, self._processes)
        assert saved is not None  # The watch asks for none before the first step, where one is made.
        self._restore(saved)
        self._processes.on_first(lambda: checkpoint.forget(self._folder, saved.step))
        self._journal.lap("load", self._state.step)
        self._state.cut_lr(self._watch.lr_factor ** (count - self._state.rollbacks))
        self._state.rollbacks = count
        self.told.write("rollback", lr=self._state.lr, left=left, rollbacks=count)
        self.told.note(f"back from step {left} to step {self._state.step}, with lr {self._state.lr:g}")

    def _restore(self, saved: checkpoint.Saved) -> None:
        restore(self._state, saved)
        self._watch.load_state_dict(saved.rest["watch"])
        self._watch.hear({"kind": "rollback", "step": self._state.step, "rollbacks": self._state.rollbacks})
        self._journal.stand_at(self._state.step)
