"""Lion against SGD, task by task: the paper's claim and what these runs say to it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from lionkit_lab.report._tasks import TaskRuns
from lionkit_lab.report.comparison import BASE, Comparison
from lionkit_lab.report.format import NOTHING, likelihood, number, signed, signed_interval
from lionkit_lab.report.paper import figure_of
from lionkit_lab.report.tabular import Block, Line, Sheet

RIVAL = "sgd"
_NOTE = (
    "The paper finds Lion's training loss below SGD's on all of its thirteen tasks; its figure is named where it asks "
    "this of the same kind of network and, of images, on the same data. Here: each SGD minus the first Lion, paired by "
    "seed; they are told apart where the 95 % interval of the difference leaves out 0."
)
_HEADINGS = ["task", "figure_of_the_paper", "arm", "lion", "sgd", "difference", "low", "high", "p", "seeds", "verdict"]


def verdict_sheet(tasks: Sequence[TaskRuns], found: Sequence[Comparison]) -> Sheet | None:
    """Set Lion beside every arm of SGD.

    Args:
        tasks: Those of a report.
        found: What ``compare`` returned for them.

    Returns:
        A line for each task and arm of SGD, if Lion finished there as well; None where there is none.
    """
    figures = {task.title: figure_of(task.runs[0].manifest) for task in tasks}
    known = [pair for _, arms in groupby(found, lambda one: one.task) for pair in _pairs(list(arms))]
    if not known:
        return None
    headings = ["task", "paper", "Lion", "SGD", "SGD minus Lion", "95 %", "p", "n", "lower"]
    lines = [Line([lion.task, figures[lion.task] or NOTHING, *_cells(lion, sgd)]) for lion, sgd in known]
    rows = [_row(figures[lion.task], lion, sgd) for lion, sgd in known]
    block = Block("Training loss at the end", headings, lines)
    return Sheet("lion-against-sgd", "Lion against SGD", _NOTE, [block], _HEADINGS, rows)


def verdict(sgd: Comparison) -> str:
    """Say which one is lower: ``Lion``, ``SGD``, or that they are not told apart."""
    difference = sgd.loss.difference if sgd.loss else None
    if difference is None:
        return "no seed in common"
    lower = "Lion" if difference.mean > 0 else "SGD"
    ends = difference.interval
    if ends is None:
        return f"{lower}, one seed"
    return lower if ends.low > 0 or ends.high < 0 else f"{lower}, not told apart"


def _pairs(arms: Sequence[Comparison]) -> list[tuple[Comparison, Comparison]]:
    """The first Lion with each SGD, the lowest loss first."""
    usable = [arm for arm in arms if arm.loss]
    lion = next((arm for arm in usable if arm.optimizer == BASE), None)
    rivals = sorted((arm for arm in usable if arm.optimizer == RIVAL), key=_mean)
    return [(lion, sgd) for sgd in rivals] if lion else []


def _mean(arm: Comparison) -> float:
    assert arm.loss
    return arm.loss.spread.mean


def _cells(lion: Comparison, sgd: Comparison) -> list[str]:
    assert sgd.loss
    difference, test = sgd.loss.difference, sgd.loss.test
    gap = difference.mean if difference else None
    ends = signed_interval(difference.interval if difference else None)
    pairs = str(len(difference.values)) if difference else "0"
    told = [signed(gap), ends, likelihood(test.p if test else None), pairs, verdict(sgd)]
    setting = sgd.arm.partition(", ")[2]
    return [number(_mean(lion)), number(_mean(sgd)) + (f" ({setting})" if setting else ""), *told]


def _row(figure: str | None, lion: Comparison, sgd: Comparison) -> list[Any]:
    assert sgd.loss
    difference, test = sgd.loss.difference, sgd.loss.test
    ends = difference.interval if difference else None
    told = [difference.mean if difference else None, *([ends.low, ends.high] if ends else [None, None])]
    pairs = len(difference.values) if difference else 0
    return [lion.task, figure, sgd.arm, _mean(lion), _mean(sgd), *told, test.p if test else None, pairs, verdict(sgd)]
