"""What was found, in plain sentences made from the numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import groupby

from lionkit_lab.report._optimizers import optimizer_order, optimizer_title
from lionkit_lab.report._rows import Row
from lionkit_lab.report.format import listing, number

_GAUSSIAN = math.sqrt(2 / math.pi)


def headline(rows: Sequence[Row]) -> str:
    """Say which optimizer reaches the lowest training loss.

    Args:
        rows: The summary table.

    Returns:
        One sentence about the best arm of each optimizer; Lion comes first where it was tried, whether it won or not.
    """
    tasks = [_rivals(found) for _, found in groupby(rows, lambda row: row.task)]
    compared = [task for task in tasks if len(task) > 1]
    finished = [row for task in tasks for row in task]
    if not finished:
        return "No run has finished with a finite training loss yet."
    if not compared:
        return _lone_results(finished)
    if any(row.optimizer == "lion" for row in rows):
        return _lion_against_others(compared)
    return f"{_wins(compared)}."


def margin_sentence(rows: Sequence[Row]) -> str:
    """Say how far the runner-up, the next optimizer's best arm, is behind, and that one seed proves little.

    Args:
        rows: The summary table.

    Returns:
        One sentence, or nothing where no task has two finished optimizers.
    """
    gaps, seeds = [], []
    for task, found in groupby(rows, lambda row: row.task):
        ranked = sorted(_rivals(found), key=_loss)
        if len(ranked) > 1 and ranked[0].train_loss:
            gap = _loss(ranked[1]) / ranked[0].train_loss - 1
            gaps.append(f"{100 * gap:.1f}\u00a0% higher on {task} ({ranked[1].title})")
            seeds += [row.num_seeds for row in ranked[:2]]
    if not gaps:
        return ""
    return f"The runner-up's loss is {listing(gaps)}{_caution(seeds)}."


def ratio_sentence(rows: Sequence[Row]) -> str:
    """Say how large the norm ratio is beside sqrt(d), or nothing where it was not measured."""
    shares = [row.ratio_over_sqrt_dim for row in rows if row.ratio_over_sqrt_dim is not None]
    if not shares:
        return ""
    low, high = f"{min(shares):.2f}", f"{max(shares):.2f}"
    between = low if low == high else f"{low} to {high}"
    return (
        f"At the end of the best runs the gradient's norm ratio is {between} of its upper limit \u221ad; "
        f"a Gaussian vector would have {_GAUSSIAN:.2f}."
    )


def _rivals(rows: Iterable[Row]) -> list[Row]:
    """The best arm of each optimizer among those with a final loss."""
    best: dict[str, Row] = {}
    for row in sorted((row for row in rows if row.train_loss is not None), key=_loss):
        best.setdefault(row.optimizer, row)
    return sorted(best.values(), key=lambda row: optimizer_order(row.optimizer))


def _loss(row: Row) -> float:
    return math.inf if row.train_loss is None else row.train_loss


def _caution(seeds: Sequence[int]) -> str:
    if min(seeds) > 1:
        return ""
    return f"; {'one seed each' if max(seeds) == 1 else 'some with one seed'}, so small gaps may be chance"


def _lion_against_others(compared: Sequence[Sequence[Row]]) -> str:
    won = [task for task in compared if "lion" in _winners(task)]
    lost = [task for task in compared if "lion" not in _winners(task)]
    tied = sorted({_name(row) for task in won for row in task if row.optimizer in _winners(task)} - {"Lion"})
    start = f"Lion reaches the lowest training loss on {_count(won, compared)}"
    start += f", tied with {listing(tied)}" if tied else ""
    return f"{start}; {_wins(lost)}." if lost else f"{start}."


def _count(won: Sequence[Sequence[Row]], compared: Sequence[Sequence[Row]]) -> str:
    if len(won) == len(compared) == 1:
        return won[0][0].task
    return f"{len(won) or 'none'} of {len(compared)} task{'s' if len(compared) > 1 else ''}"


def _wins(tasks: Sequence[Sequence[Row]]) -> str:
    """Who wins where: ``AdamW is lowest on A and C; AdamW and SGD tie for the lowest on B``."""
    won: dict[tuple[str, ...], list[str]] = {}
    for task in tasks:
        names = tuple(_name(row) for row in task if row.optimizer in _winners(task))
        won.setdefault(names, []).append(task[0].task)
    return "; ".join(f"{_lowest(names)} on {listing(titles)}" for names, titles in won.items())


def _lowest(names: Sequence[str]) -> str:
    return f"{listing(names)} {'is lowest' if len(names) == 1 else 'tie for the lowest'}"


def _name(row: Row) -> str:
    return optimizer_title(row.optimizer)  # the whole optimizer: its best arm stands for it


def _winners(task: Sequence[Row]) -> list[str]:
    lowest = min(row.train_loss for row in task if row.train_loss is not None)
    return [row.optimizer for row in task if row.train_loss == lowest]


def _lone_results(finished: Sequence[Row]) -> str:
    results = [f"{row.title} ends at a training loss of {number(row.train_loss)} on {row.task}" for row in finished]
    return f"{listing(results)}; no other optimizer finished there to compare with."
