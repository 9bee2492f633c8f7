"""The trials of one arm, shared with other processes through the database."""

import hashlib
import json
import statistics
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState

from lionkit_lab.sweep._arm import Arm
from lionkit_lab.sweep._database import Database
from lionkit_lab.sweep._goal import Goal
from lionkit_lab.sweep._outcome import Outcome
from lionkit_lab.sweep._samplers import Sampler
from lionkit_lab.sweep._worker import Worker


class Tried(NamedTuple):
    """A trial that is done: a learning rate, the mean of the metric over its runs, and the runs."""

    lr: float
    value: float
    runs: list[Outcome]


class ArmStudy:
    """One arm's learning rates: a trial is one of them with all its seeds.

    Nothing here locks. Trials have rising numbers; of two at the same learning rate the lower number counts, and the
    other one is dropped by whoever took it. So no two processes train the same run, whatever their order, and
    what is done twice does no harm.

    Args:
        arm: What is trained.
        goal: What for.
        sampler: Which learning rates.
        database: Where the trials are.
    """

    def __init__(self, arm: Arm, goal: Goal, sampler: Sampler, database: Database) -> None:
        self.arm, self.goal, self.sampler = arm, goal, sampler
        self._name = f"{arm.title}/{self._digest()}"
        self._study = database.call(
            lambda: optuna.create_study(
                storage=database.storage,
                study_name=self._name,
                direction="maximize" if goal.higher_is_better else "minimize",
                load_if_exists=True,
            )
        )

    @property
    def num_trials(self) -> int:
        """Learning rates to try."""
        return self.sampler.num_trials(self.arm)

    def claim(self, worker: Worker) -> Trial | None:
        """Return a trial that is this process's own, or None where all are taken or done."""
        self._take_up(worker)
        while True:
            self._queue()
            live = self._live()
            if len(live) >= self.num_trials and not any(it.state is TrialState.WAITING for it in live):
                return None
            self._study.sampler = self.sampler.proposer(self._name, len(live))
            trial = self._study.ask({"lr": self.sampler.distribution(self.arm)})
            worker.sign(trial)
            if not self._is_superfluous(trial):
                return trial
            self._drop(trial.number)

    def finish(self, trial: Trial, outcomes: Sequence[Outcome]) -> None:
        """Write down what came out; nothing happens where others took the trial up meanwhile."""
        with suppress(UpdateFinishedTrialError):
            trial.set_user_attr("runs", [it.as_json() for it in outcomes])
            self._study.tell(trial, self._value(outcomes), skip_if_finished=True)

    def finished(self) -> list[Tried]:
        """Return every trial that is done, learning rates rising."""
        done = [it for it in self._live() if it.state is TrialState.COMPLETE]
        found = [Tried(it.params["lr"], it.values[0], [Outcome(**run) for run in it.user_attrs["runs"]]) for it in done]
        return sorted(found, key=lambda it: it.lr)

    def folders(self, out: Path, lr: float) -> list[tuple[int, Path]]:
        """Return seed and folder of each run of a trial."""
        return [(seed, self.arm.folder(out, lr, seed)) for seed in self.goal.seeds]

    def _take_up(self, worker: Worker) -> None:
        """Queue the trials of dead workers again."""
        for trial in self._live():
            if trial.state is TrialState.RUNNING and worker.is_dead(self._name, trial):
                if "lr" in trial.params:
                    self._add(trial.params["lr"])
                self._drop(trial.number)
                worker.bury(trial)

    def _drop(self, number: int) -> None:
        with suppress(UpdateFinishedTrialError):  # Another process was faster.
            self._study.tell(number, state=TrialState.FAIL, skip_if_finished=True)

    def _queue(self) -> None:
        taken = {it.params.get("lr") for it in self._live()}
        for lr in self.sampler.fixed(self.arm):
            if lr not in taken:
                self._add(lr)

    def _add(self, lr: float) -> None:
        distributions: dict[str, BaseDistribution] = {"lr": self.sampler.distribution(self.arm)}
        waiting = optuna.create_trial(state=TrialState.WAITING, params={"lr": lr}, distributions=distributions)
        self._study.add_trial(waiting)

    def _live(self) -> list[FrozenTrial]:
        """Return the trials that count, by number; one whose learning rate is still being chosen does."""
        trials = self._study.get_trials(deepcopy=False)
        return [
            it
            for it in trials
            if it.state is not TrialState.FAIL
            and ("lr" not in it.params or self.sampler.accepts(self.arm, it.params["lr"]))
        ]

    def _is_superfluous(self, trial: Trial) -> bool:
        lr = trial.params["lr"]
        before = [it for it in self._live() if it.number < trial.number]
        taken = any(it.params.get("lr") == lr for it in before)
        return taken or len(before) >= self.num_trials or not self.sampler.accepts(self.arm, lr)

    def _value(self, outcomes: Sequence[Outcome]) -> float:
        values = [it.values.get(self.goal.metric, self.goal.worst) for it in outcomes]
        return statistics.fmean(values) if self.goal.worst not in values else self.goal.worst

    def _digest(self) -> str:
        """Return a hash of all that decides the arm's values: another recipe has other trials."""
        run = self.arm.recipe.as_run()
        deciding: dict[str, Any] = {key: value for key, value in run.items() if key not in ("title", "seed")}
        deciding["optimizer"] = {key: value for key, value in run["optimizer"].items() if key != "lr"}
        deciding |= {"seeds": self.goal.seeds, "metric": self.goal.metric, "sampler": self.sampler.identity(self.arm)}
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:12]
