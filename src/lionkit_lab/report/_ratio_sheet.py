"""The norm ratio beside the square root of d, and its growth, as tables."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from lionkit_lab.report._growth import PLACES, Growth, ratio_at
from lionkit_lab.report._tasks import ArmRuns, TaskRuns, finite
from lionkit_lab.report.format import fraction, interval, number
from lionkit_lab.report.paper import network_of
from lionkit_lab.report.tabular import Block, Line, Sheet
from lionkit_lab.statistics import PowerLaw

_NOTE = (
    "r is the norm ratio of the gradient over the samples of a logging epoch, at the best learning rate, mean over the "
    "seeds; least is the smallest r/\u221ad of any logging epoch and seed. The paper's \u221ad is what its panel of "
    "the same network on the same data names."
)
_HEADINGS = ["task", "model", "optimizer", "dim", "sqrt_dim", "sqrt_dim_of_the_paper", "place_in_the_paper"]
_LAW_HEADINGS = ["optimizer", "training", "fit", "a", "b", "b_low", "b_high", "networks"]


def ratio_sheet(tasks: Iterable[TaskRuns]) -> Sheet:
    """Lay out r at the start, the middle and the end of training beside the square root of d.

    Args:
        tasks: Those of a report.
    """
    tasks = list(tasks)
    blocks = [_block(task) for task in tasks]
    rows = [_row(task, arm) for task in tasks for arm in task.arms]
    headings = [*_HEADINGS, *(f"r_{place}" for place in PLACES), "least_r_over_sqrt_dim"]
    return Sheet("norm-ratio", "Norm ratio", _NOTE, blocks, headings, rows)


def growth_sheet(found: Growth) -> Sheet:
    """Lay the fits out.

    Args:
        found: What ``growth`` returned.
    """
    laws = [
        (law, name, fit)
        for law in found.laws
        for name, fit in (("all networks", law.pooled), ("an a for each architecture", law.within))
        if fit
    ]
    lines = [Line([f"{law.arm}, {law.place}", name, *_numbers(fit)]) for law, name, fit in laws]
    block = Block("r = a d^b", ["optimizer, training", "fit", "a", "b", "95 %", "networks"], lines)
    rows: list[list[Any]] = [
        [law.arm, law.place, name, fit.factor, b.value, b.low, b.high, b.num_samples]
        for law, name, fit in laws
        for b in [fit.exponent]
    ]
    note = "Each network is a point: the mean over its seeds at the arm's best learning rate. The paper holds b = 1/2."
    return Sheet("size", "Norm ratio against model size", note, [block], _LAW_HEADINGS, rows)


def _block(task: TaskRuns) -> Block:
    dim, theirs = task.info["num_parameters"], network_of(task.info)
    paper = f", in the paper {theirs.sqrt_dim:,} ({theirs.name}, {theirs.place})" if theirs else ""
    title = f"{task.title}: {task.info['model']}, d = {dim:,}, \u221ad = {math.sqrt(dim):,.1f}{paper}"
    headings = ["optimizer", *(f"r, {place}" for place in PLACES), "r/\u221ad, end", "least"]
    return Block(title, headings, [_line(arm, math.sqrt(dim)) for arm in task.arms])


def _line(arm: ArmRuns, root: float) -> Line:
    found = [ratio_at(arm.shown, share) for share in PLACES.values()]
    share = None if found[-1] is None else found[-1] / root
    return Line([arm.arm.title, *map(number, found), fraction(share), fraction(_least(arm, root))], arm.arm.key)


def _least(arm: ArmRuns, root: float) -> float | None:
    found = [finite(log["ratio"]) for run in arm.shown.runs for log in run.logs]
    return min((value / root for value in found if value is not None), default=None)


def _row(task: TaskRuns, arm: ArmRuns) -> list[Any]:
    dim, theirs = task.info["num_parameters"], network_of(task.info)
    paper = [theirs.sqrt_dim, theirs.place] if theirs else [None, None]
    found = [ratio_at(arm.shown, share) for share in PLACES.values()]
    head = [task.title, task.info["model"], arm.arm.title, dim, math.sqrt(dim)]
    return [*head, *paper, *found, _least(arm, math.sqrt(dim))]


def _numbers(law: PowerLaw) -> list[str]:
    b = law.exponent
    return [number(law.factor), f"{b.value:.3f}", interval(b), str(b.num_samples)]
