"""The values at several points of training as a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lionkit_lab.report._milestones import Course, Milestones, milestones
from lionkit_lab.report._tasks import TaskRuns
from lionkit_lab.report.format import NOTHING, deviation, is_share, number
from lionkit_lab.report.tabular import Block, Line, Sheet
from lionkit_lab.statistics import Spread

_NOTE = (
    "Each arm at its best learning rate, at the logging epochs nearest to the fifths of training: the mean over the "
    "seeds, with their standard deviation in brackets where there are several. Log perplexity is the natural logarithm."
)
_HEADINGS = ["task", "quantity", "optimizer", "step", "mean", "sd", "by_seed"]


def course_sheet(tasks: Iterable[TaskRuns]) -> Sheet:
    """Lay out what was measured at several points of training, in the form of table B.1 of the paper.

    Args:
        tasks: Those of a report.
    """
    found = [one for task in tasks for one in milestones(task)]
    blocks = [_block(one) for one in found]
    rows = [row for one in found for line in one.lines for row in _rows(one, line)]
    return Sheet("training", "Through training", _NOTE, blocks, _HEADINGS, rows)


def _block(found: Milestones) -> Block:
    share = is_share(found.key)
    title = f"{found.task}: {found.quantity[:1].lower()}{found.quantity[1:]}{', %' if share else ''}"
    lines = [_line(found, course, 100.0 if share else 1.0) for course in found.lines]
    return Block(title, ["steps", *(f"{step:,}" for step in found.steps)], lines)


def _line(found: Milestones, course: Course, scale: float) -> Line:
    best = frozenset(place + 1 for place in range(len(found.steps)) if found.is_best(course, place))
    return Line([course.title, *(_cell(cell, scale) for cell in course.cells)], course.arm, best)


def _cell(cell: Spread | None, scale: float) -> str:
    if cell is None:
        return NOTHING
    return number(scale * cell.mean) + (f" ({deviation(cell, scale)})" if len(cell.values) > 1 else "")


def _rows(found: Milestones, course: Course) -> Iterable[list[Any]]:
    quantity = "log_perplexity" if found.key == "perplexity" else found.key
    for step, cell in zip(found.steps, course.cells, strict=True):
        values = [cell.mean, cell.sd, " ".join(map(str, cell.values))] if cell else [None] * 3
        yield [found.task, quantity, course.title, step, *values]
