"""The rows of the summary: each optimizer's best run on each task."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lionkit_lab.record import Run
from lionkit_lab.record._read import OPTIMIZER_TITLES
from lionkit_lab.report._format import number, percent
from lionkit_lab.report._tasks import Task, group


@dataclass(frozen=True)
class Row:
    """The best run of one optimizer on one task, at its last logging epoch.

    Every measured value is None where no run of the optimizer finished, or where it was not finite.

    Attributes:
        task: The task's title.
        optimizer: The optimizer's name in the recipe.
        best_lr: The learning rate with the lowest final training loss among the finished runs.
        lrs: Every learning rate tried, rising.
        finished: How many of the runs finished.
        diverged: How many of the runs diverged.
        unfinished: How many of the runs have no end yet.
        train_loss: The mean loss over the training set.
        metric_label: What the task's test metric is called.
        metric: The test metric; a share of one where it is an accuracy.
        higher_is_better: Which way the test metric points.
        ratio_over_sqrt_dim: r / sqrt(d), between 1 / sqrt(d) and 1.
        kkt_residual: S, zero exactly at a KKT point of the box.
        seconds: Wall-clock time of the best run.
    """

    task: str
    optimizer: str
    best_lr: float | None
    lrs: tuple[float, ...]
    finished: int
    diverged: int
    unfinished: int
    train_loss: float | None
    metric_label: str
    metric: float | None
    higher_is_better: bool
    ratio_over_sqrt_dim: float | None
    kkt_residual: float | None
    seconds: float | None

    @property
    def title(self) -> str:
        """The optimizer's name as people write it."""
        return OPTIMIZER_TITLES.get(self.optimizer, self.optimizer)

    @property
    def tried(self) -> str:
        """How many of the runs finished."""
        return f"{self.finished} of {self.finished + self.diverged + self.unfinished}"

    @property
    def metric_text(self) -> str:
        """The test metric as it is read: accuracies in percent."""
        return percent(self.metric) if "accuracy" in self.metric_label else number(self.metric)


def summarise(runs: Iterable[Run]) -> list[Row]:
    """Pick the best run of every optimizer on every task.

    Args:
        runs: Any runs; unfinished and diverged ones are counted but never chosen.

    Returns:
        One row for each (task, optimizer), tasks in the order of the runs, Lion first.
    """
    return [row for task in group(runs) for row in rows_of(task)]


def rows_of(task: Task) -> list[Row]:
    """The rows of one task, Lion first."""
    return [_row(task, optimizer) for optimizer in task.optimizers]


def _row(task: Task, optimizer: str) -> Row:
    runs, best = task.runs_of(optimizer), task.best(optimizer)
    last = best.logs[-1] if best else {}
    metric = task.info["metric"]
    return Row(
        task=task.title,
        optimizer=optimizer,
        best_lr=best.lr if best else None,
        lrs=tuple(sorted({run.lr for run in runs})),
        finished=sum(run.status == "finished" for run in runs),
        diverged=sum(run.status == "diverged" for run in runs),
        unfinished=sum(run.status == "unfinished" for run in runs),
        train_loss=_finite(last.get("train_loss")),
        metric_label=metric["label"],
        metric=_finite(last.get(metric["key"])),
        higher_is_better=metric["higher_is_better"],
        ratio_over_sqrt_dim=_finite(last.get("ratio_over_sqrt_dim")),
        kkt_residual=_finite(last.get("kkt_residual")),
        seconds=best.seconds if best else None,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
