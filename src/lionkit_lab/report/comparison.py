"""The arms of a task beside each other over the seeds, each at its best learning rate and paired with Lion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lionkit_lab.record import Run
from lionkit_lab.report._tasks import ArmRuns, TaskRuns, finite
from lionkit_lab.statistics import Spread, TTest, t_test

BASE = "lion"
"""The optimizer whose first arm the others are compared with."""


@dataclass(frozen=True)
class Measured:
    """One quantity of one arm.

    Attributes:
        spread: Over the seeds.
        difference: Minus the base's, over the seeds that both have; None for the base itself or where there is none.
    """

    spread: Spread
    difference: Spread | None

    @property
    def test(self) -> TTest | None:
        """The paired t-test of the difference; None with fewer than two pairs."""
        return t_test(self.difference) if self.difference else None


@dataclass(frozen=True)
class Comparison:
    """One arm on one task; what is measured is of the last logging epoch, at the best learning rate.

    Attributes:
        task: The task's title.
        arm: The arm's title.
        key: The arm's key.
        optimizer: The optimizer's name in the recipe.
        best_lr: The learning rate with the lowest mean final training loss; None where none finished.
        lrs: Every learning rate tried, rising.
        at_edge: Whether the best one is the least or the largest of several, and a better one may lie beyond.
        seeds: Of the best learning rate, rising.
        loss: The training loss, in nats; None where some seed has none.
        metric_key: The test metric, by its name in the records.
        metric_label: What people call it.
        higher_is_better: Which way it points.
        metric: Its value.
        base: The title of the arm that is subtracted; None where the task has no Lion that finished.
    """

    task: str
    arm: str
    key: str
    optimizer: str
    best_lr: float | None
    lrs: tuple[float, ...]
    at_edge: bool
    seeds: tuple[int, ...]
    loss: Measured | None
    metric_key: str
    metric_label: str
    higher_is_better: bool
    metric: Measured | None
    base: str | None


def compare(tasks: Iterable[TaskRuns]) -> list[Comparison]:
    """Compare the arms of each task.

    Args:
        tasks: Those of a report.

    Returns:
        One entry for each task and arm, Lion first.
    """
    return [_comparison(task, arm, _base(task.arms)) for task in tasks for arm in task.arms]


def _base(arms: Sequence[ArmRuns]) -> ArmRuns | None:
    return next((arm for arm in arms if arm.arm.optimizer == BASE and arm.best), None)


def _comparison(task: TaskRuns, arm: ArmRuns, base: ArmRuns | None) -> Comparison:
    best, metric = arm.best, task.info["metric"]
    lrs = tuple(rate.lr for rate in arm.rates)
    return Comparison(
        task=task.title,
        arm=arm.arm.title,
        key=arm.arm.key,
        optimizer=arm.arm.optimizer,
        best_lr=best.lr if best else None,
        lrs=lrs,
        at_edge=best is not None and len(lrs) > 1 and best.lr in (lrs[0], lrs[-1]),
        seeds=tuple(sorted({run.seed for run in best.runs})) if best else (),
        loss=_measured(arm, base, "train_loss"),
        metric_key=metric["key"],
        metric_label=metric["label"],
        higher_is_better=metric["higher_is_better"],
        metric=_measured(arm, base, metric["key"]),
        base=base.arm.title if base else None,
    )


def _measured(arm: ArmRuns, base: ArmRuns | None, key: str) -> Measured | None:
    own = _by_seed(arm, key)
    if own is None:
        return None
    theirs = _by_seed(base, key) if base and base is not arm else None
    values = tuple(own[seed] for seed in sorted(own))
    return Measured(Spread(values), Spread.of_differences(own, theirs) if theirs else None)


def _by_seed(arm: ArmRuns, key: str) -> dict[int, float] | None:
    """The last value of each seed; None unless every one has a finite value."""
    found = {run.seed: _last(run, key) for run in arm.best.runs} if arm.best else {}
    known = {seed: value for seed, value in found.items() if value is not None}
    return known if known and len(known) == len(found) else None


def _last(run: Run, key: str) -> float | None:
    return finite(run.logs[-1].get(key)) if run.logs else None
