"""The values of each arm at several points of training, as in table B.1 of the paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lionkit_lab.record import Record
from lionkit_lab.report._optimizers import optimizer_title
from lionkit_lab.report._tasks import ArmRuns, TaskRuns, finite
from lionkit_lab.report.paper import log_perplexity_of
from lionkit_lab.statistics import Spread

PARTS = 5
"""Points of training: the paper has 10,000 to 50,000 of 50,000 steps."""


@dataclass(frozen=True)
class Course:
    """One arm through training.

    Attributes:
        title: Whose: an arm's title, with its learning rate, or the paper's.
        arm: The arm's key; empty for the paper's line.
        cells: Over the seeds, at each step; None where some seed has no finite value.
    """

    title: str
    arm: str
    cells: list[Spread | None]


@dataclass(frozen=True)
class Milestones:
    """One quantity of one task.

    Attributes:
        task: The task's title.
        key: The quantity's name in the records.
        quantity: What people call it.
        steps: Optimizer steps, rising.
        lines: The arms, Lion first, and the paper's.
        higher_is_better: Which way the quantity points.
    """

    task: str
    key: str
    quantity: str
    steps: list[int]
    lines: list[Course]
    higher_is_better: bool = False

    def is_best(self, line: Course, place: int) -> bool:
        """Whether an arm's mean is the best of a column, and there are others."""
        means = [one.cells[place] for one in self.lines if one.arm]
        known = [cell.mean for cell in means if cell]
        own = line.cells[place]
        best = (max if self.higher_is_better else min)(known, default=math.nan)
        return bool(line.arm and own and len(known) > 1 and own.mean == best and min(known) < max(known))


def milestones(task: TaskRuns) -> list[Milestones]:
    """Return training loss, test metric and, where it was taken, the logarithm of the perplexity.

    Args:
        task: One task's runs; each arm is shown at its best learning rate.
    """
    metric = task.info["metric"]
    label = f"{metric['label'][:1].upper()}{metric['label'][1:]}"
    found = [
        _milestones(task, "train_loss", "Training loss"),
        _milestones(task, metric["key"], label, higher_is_better=metric["higher_is_better"]),
        _milestones(task, "perplexity", "Log perplexity"),
    ]
    return [one for one in found if one.steps]


def _milestones(task: TaskRuns, key: str, quantity: str, *, higher_is_better: bool = False) -> Milestones:
    steps = _steps({log["step"] for arm in task.arms for run in arm.shown.runs for log in run.logs if key in log})
    lines = [_line(arm, key, steps) for arm in task.arms]
    if key == "perplexity":
        lines += _of_the_paper(task.arms, steps)
    return Milestones(task.title, key, quantity, steps, lines, higher_is_better)


def _steps(logged: Iterable[int]) -> list[int]:
    """The logging epochs nearest to the fifths of training; all of them where there are no more."""
    steps = sorted(step for step in logged if step > 0)
    if len(steps) <= PARTS:
        return steps
    marks = [steps[-1] * part / PARTS for part in range(1, PARTS + 1)]
    return sorted({min(steps, key=lambda step: abs(step - mark)) for mark in marks})


def _line(arm: ArmRuns, key: str, steps: Sequence[int]) -> Course:
    logs = [{log["step"]: log for log in run.logs} for run in arm.shown.runs]
    cells = [_spread([_value(table.get(step, {}), key) for table in logs]) for step in steps]
    return Course(f"{arm.arm.title}, lr {arm.shown.lr:g}", arm.arm.key, cells)


def _value(log: Record, key: str) -> float | None:
    value = finite(log.get(key))
    if key != "perplexity" or value is None:
        return value
    return math.log(value) if value > 0 else None


def _spread(values: Sequence[float | None]) -> Spread | None:
    known = tuple(value for value in values if value is not None)
    return Spread(known) if known and len(known) == len(values) else None


def _of_the_paper(arms: Iterable[ArmRuns], steps: Sequence[int]) -> list[Course]:
    lines: dict[str, Course] = {}
    for arm in arms:
        printed = log_perplexity_of(arm.shown.runs[0].manifest)
        if printed and set(printed[1]) & set(steps):
            name, line = printed
            cells = [Spread((line[step],)) if step in line else None for step in steps]
            title = f"{optimizer_title(arm.arm.optimizer)}, {name}, table B.1 of the paper"
            lines.setdefault(title, Course(title, "", cells))
    return list(lines.values())
