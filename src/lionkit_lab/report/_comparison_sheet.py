"""The comparison as a table: mean, spread and the paired test of every arm."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from lionkit_lab.report.comparison import Comparison, Measured
from lionkit_lab.report.format import (
    NOTHING,
    deviation,
    interval,
    is_share,
    likelihood,
    number,
    rate,
    signed,
    signed_interval,
)
from lionkit_lab.report.tabular import Block, Line, Sheet
from lionkit_lab.statistics import Spread

EDGE = "\u2020"
_NOTE = (
    "Each arm at its best learning rate, the one with the lowest mean final training loss; values of the last logging "
    "epoch over n seeds, with Student's 95 % interval of the mean. The difference is to the first Lion, paired by "
    "seed; p is of the paired t-test, two-sided, and not corrected for the number of comparisons. "
    f"{EDGE}: at the edge of the learning rates tried, beyond which a better one may lie."
)
_NUMBERS = ["mean", "sd", "low", "high"]
_HEADINGS = [
    *("task", "quantity", "optimizer", "best_lr", "at_edge", "lrs", "seeds", *_NUMBERS, "by_seed"),
    *(f"difference_{name}" for name in _NUMBERS),
    *("pairs", "t", "p"),
]


def comparison_sheet(found: Sequence[Comparison]) -> Sheet:
    """Lay the comparison out, with a block for each task and quantity.

    Args:
        found: What ``compare`` returned.
    """
    blocks, rows = [], []
    for task, group in groupby(found, lambda one: one.task):
        arms = list(group)
        first = arms[0]
        share = is_share(first.metric_key)
        label = f"{first.metric_label}, %" if share else first.metric_label
        losses, metrics = [arm.loss for arm in arms], [arm.metric for arm in arms]
        blocks.append(_block(f"{task}: training loss", arms, losses))
        blocks.append(_block(f"{task}: {label}", arms, metrics, 100.0 if share else 1.0, first.higher_is_better))
        rows += [_row(arm, *pair) for arm in arms for pair in (("train_loss", arm.loss), (arm.metric_key, arm.metric))]
    return Sheet("comparison", "Comparison over the seeds", _NOTE, blocks, _HEADINGS, rows)


def _block(
    title: str, arms: Sequence[Comparison], found: Sequence[Measured | None], scale: float = 1.0, higher: bool = False
) -> Block:
    means = [one.spread.mean for one in found if one]
    best = (max if higher else min)(means) if len(set(means)) > 1 else None
    base = next((arm.base for arm in arms if arm.base), "Lion")
    headings = ["optimizer", "best lr", "n", "mean", "sd", "95 %", f"minus {base}", "95 %", "p"]
    lines = [
        Line(_cells(arm, one, scale), arm.key, frozenset({3} if one and one.spread.mean == best else ()))
        for arm, one in zip(arms, found, strict=True)
    ]
    return Block(title, headings, lines)


def _cells(arm: Comparison, found: Measured | None, scale: float) -> list[str]:
    head = [arm.arm, f"{rate(arm.best_lr)}{EDGE if arm.at_edge else ''}"]
    if found is None:
        return [*head, str(len(arm.seeds)), *[NOTHING] * 6]
    spread, difference, test = found.spread, found.difference, found.test
    own = [str(len(spread.values)), number(scale * spread.mean), deviation(spread, scale)]
    gap = scale * difference.mean if difference else None
    ends = signed_interval(difference.interval if difference else None, scale)
    return [*head, *own, interval(spread.interval, scale), signed(gap), ends, likelihood(test.p if test else None)]


def _row(arm: Comparison, quantity: str, found: Measured | None) -> list[Any]:
    head = [arm.task, quantity, arm.arm, arm.best_lr, arm.at_edge, _spaced(arm.lrs), _spaced(arm.seeds)]
    if found is None:
        return [*head, *[None] * (len(_HEADINGS) - len(head))]
    own, difference, test = found.spread, found.difference, found.test
    pairs = len(difference.values) if difference else None
    tested = [test.t, test.p] if test else [None, None]
    return [*head, *_numbers(own), _spaced(own.values), *_numbers(difference), pairs, *tested]


def _numbers(spread: Spread | None) -> list[float | None]:
    ends = spread.interval if spread else None
    middle = [spread.mean, spread.sd] if spread else [None, None]
    return [*middle, *([ends.low, ends.high] if ends else [None, None])]


def _spaced(values: Sequence[float]) -> str:
    return " ".join(map(str, values))
