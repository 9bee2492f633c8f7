"""What was measured over which samples, and at which weight decay, in words."""

from __future__ import annotations

from collections.abc import Sequence

from lionkit_lab.record import Record
from lionkit_lab.report._tasks import TaskRuns
from lionkit_lab.report.format import listing
from lionkit_lab.settings import flatten


def estimate(info: Record) -> str:
    """Say over which part of the training set the full loss and gradient were taken.

    Args:
        info: The manifest's task entry.

    Returns:
        Such as ``192 of 16,738 windows of 64 characters``; empty where it was all of it.
    """
    logged, train = info["num_logged"], info["num_train"]
    return "" if logged == train else f"{logged:,} of {train:,} {info['unit']}"


def decay_words(tasks: Sequence[TaskRuns]) -> str:
    """Say at which weight decay S was measured: ``\u03bb = 0.1 for every optimizer``."""
    whose: dict[float, list[str]] = {}
    for arm in (arm for task in tasks for arm in task.arms):
        titles = whose.setdefault(arm.residual_decay, [])
        titles += [arm.arm.title] if arm.arm.title not in titles else []
    if len(whose) == 1:
        return f"\u03bb = {_plain(next(iter(whose)))} for every optimizer"
    parts = [f"{_plain(decay)} for {listing(titles)}" for decay, titles in whose.items()]
    return f"\u03bb = {'; '.join(parts)}"


def _plain(decay: float) -> str:
    return flatten({"decay": float(decay)})["decay"]
