"""The rows of the summary: each arm's best learning rate on each task."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lionkit_lab.record import Run
from lionkit_lab.report._tasks import ArmRuns, RateRuns, TaskRuns, group, mean
from lionkit_lab.report._words import estimate
from lionkit_lab.report.format import is_share, number, percent


@dataclass(frozen=True)
class Row:
    """One arm on one task, at its best learning rate and its last logging epoch.

    Measured values are means over the seeds; None where no learning rate's runs all finished, or where one is not
    finite.

    Attributes:
        task: The task's title.
        arm: The arm's key.
        optimizer: The optimizer's name in the recipe.
        title: The arm's title.
        best_lr: The learning rate with the lowest mean final training loss among those whose runs all finished.
        lrs: Every learning rate tried, rising.
        num_seeds: Of how many seeds the values are the mean; 0 without a best learning rate.
        finished: How many of the runs finished.
        diverged: How many of the runs diverged.
        stopped: How many of the runs were ended by what they were watched for.
        unfinished: How many of the runs have no end yet.
        train_loss: The mean loss over the training set, or over a part of it.
        estimate: Which part of the training set loss, r and S were measured over; empty where it was all of it.
        metric_key: Under which name the records hold the task's test metric.
        metric_label: What people call it.
        metric: The test metric; a share of one where it is an accuracy.
        higher_is_better: Which way the test metric points.
        ratio_over_sqrt_dim: r / sqrt(d), between 1 / sqrt(d) and 1.
        kkt_residual: S, zero exactly at a KKT point of the box.
        residual_decay: The weight decay at which S was measured, at least 0.
        in_box: Whether the parameters lay in the box, where S is never negative.
        seconds: Wall-clock time of one run.
    """

    task: str
    arm: str
    optimizer: str
    title: str
    best_lr: float | None
    lrs: tuple[float, ...]
    num_seeds: int
    finished: int
    diverged: int
    stopped: int
    unfinished: int
    train_loss: float | None
    estimate: str
    metric_key: str
    metric_label: str
    metric: float | None
    higher_is_better: bool
    ratio_over_sqrt_dim: float | None
    kkt_residual: float | None
    residual_decay: float
    in_box: bool
    seconds: float | None

    @property
    def tried(self) -> str:
        """How many of the runs finished, and of how many seeds the values are the mean, if of several."""
        text = f"{self.finished} of {self.finished + sum(count for count, _ in self.failures)}"
        return f"{text}, n = {self.num_seeds}" if self.num_seeds > 1 else text

    @property
    def failures(self) -> list[tuple[int, str]]:
        """How many runs ended in each of the other ways."""
        return [(self.diverged, "diverged"), (self.stopped, "stopped"), (self.unfinished, "unfinished")]

    @property
    def metric_text(self) -> str:
        """The test metric as it is read: accuracies in percent."""
        return percent(self.metric) if is_share(self.metric_key) else number(self.metric)


def summarise(runs: Iterable[Run]) -> list[Row]:
    """Pick the best learning rate of every arm on every task.

    Args:
        runs: Any runs; unfinished and diverged ones are counted but never chosen.

    Returns:
        One row for each (task, arm), tasks in the order of the runs, Lion first.
    """
    return [row for task in group(runs) for row in rows_of(task)]


def rows_of(task: TaskRuns) -> list[Row]:
    """The rows of one task, Lion first."""
    return [_row(task, arm) for arm in task.arms]


def _row(task: TaskRuns, arm: ArmRuns) -> Row:
    best, states = arm.best, [run.status for run in arm.runs]
    metric = task.info["metric"]
    return Row(
        task=task.title,
        arm=arm.arm.key,
        optimizer=arm.arm.optimizer,
        title=arm.arm.title,
        best_lr=best.lr if best else None,
        lrs=tuple(rate.lr for rate in arm.rates),
        num_seeds=len({run.seed for run in best.runs}) if best else 0,
        finished=states.count("finished"),
        diverged=states.count("diverged"),
        stopped=states.count("stopped"),
        unfinished=states.count("unfinished"),
        train_loss=_last(best, "train_loss"),
        estimate=estimate(task.info),
        metric_key=metric["key"],
        metric_label=metric["label"],
        metric=_last(best, metric["key"]),
        higher_is_better=metric["higher_is_better"],
        ratio_over_sqrt_dim=_last(best, "ratio_over_sqrt_dim"),
        kkt_residual=_last(best, "kkt_residual"),
        residual_decay=arm.residual_decay,
        in_box=_last(best, "box_excess") == 0,
        seconds=mean(run.seconds for run in best.runs) if best else None,
    )


def _last(best: RateRuns | None, key: str) -> float | None:
    return mean(run.logs[-1].get(key) for run in best.runs) if best else None
