"""The norm ratio against the number of weights, over the tasks of a report, and its exponent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lionkit_lab.report._tasks import ArmRuns, RateRuns, TaskRuns, finite, mean
from lionkit_lab.report.chart import Chart, Series
from lionkit_lab.statistics import PowerLaw, fit

PLACES = {"start": 0.0, "middle": 0.5, "end": 1.0}
"""Where a run is read off, as a share of its steps."""
LEAST_SIZES = 3
"""Of networks, for a fit that has an interval."""


@dataclass(frozen=True)
class Law:
    """A fit over the networks of one arm.

    Attributes:
        arm: The arm's title.
        place: Where in training.
        pooled: One line through all networks.
        within: One exponent, with a factor of its own for each architecture; None where that leaves too few points.
    """

    arm: str
    place: str
    pooled: PowerLaw
    within: PowerLaw | None


@dataclass(frozen=True)
class Growth:
    """What several tasks say together."""

    chart: Chart
    laws: list[Law]


def growth(tasks: Sequence[TaskRuns]) -> Growth | None:
    r"""Fit :math:`r = a d^b` to the networks of each arm, each at the arm's best learning rate on its task.

    Args:
        tasks: Those of a report.

    Returns:
        Figure and fits; None where no arm has finished on networks of at least three sizes.
    """
    arms = {arm.arm.key: arm.arm.title for task in tasks for arm in task.arms}
    laws = [law for key in arms for law in _laws(key, arms[key], tasks)]
    return Growth(_chart(tasks, arms, laws), laws) if laws else None


def ratio_at(rate: RateRuns, place: float) -> float | None:
    """Return the mean of r over the seeds at the logging epoch nearest to a share of the steps.

    Args:
        rate: Runs of one arm and learning rate.
        place: The share, in [0, 1].
    """
    found = []
    for run in rate.runs:
        last = run.logs[-1]["step"] if run.logs else 0
        near = min(run.logs, key=lambda log: abs(log["step"] - place * last), default=None)
        found.append(finite(near["ratio"]) if near else None)
    return mean(found)


def _laws(key: str, title: str, tasks: Sequence[TaskRuns]) -> list[Law]:
    laws = []
    for place, share in PLACES.items():
        groups = _points(key, tasks, share)
        points = [point for group in groups.values() for point in group]
        pooled = fit([points]) if len({dim for dim, _ in points}) >= LEAST_SIZES else None
        if pooled:
            laws.append(Law(title, place, pooled, fit(list(groups.values())) if len(groups) > 1 else None))
    return laws


def _points(key: str, tasks: Sequence[TaskRuns], share: float) -> dict[str, list[tuple[float, float]]]:
    """Points (d, r) by architecture and task."""
    groups: dict[str, list[tuple[float, float]]] = {}
    for task, arm in _finished(key, tasks):
        ratio = ratio_at(arm.shown, share)
        if ratio:
            recipe = task.runs[0].manifest["recipe"]
            kind = f"{recipe.get('model', {}).get('name')}, {recipe.get('task', {}).get('name')}"
            groups.setdefault(kind, []).append((float(task.info["num_parameters"]), ratio))
    return groups


def _finished(key: str, tasks: Sequence[TaskRuns]) -> list[tuple[TaskRuns, ArmRuns]]:
    return [(task, arm) for task in tasks for arm in task.arms if arm.arm.key == key and arm.best]


def _chart(tasks: Sequence[TaskRuns], arms: dict[str, str], laws: Sequence[Law]) -> Chart:
    found = [_series(key, title, tasks) for key, title in arms.items()]
    series = [one for one in found if one.x]
    dims = [dim for one in series for dim in one.x]
    ratios = [ratio for one in series for ratio in one.y if ratio]
    ends = (min(dims) / 1.6, 1.6 * max(dims))
    shown = (min(ratios) / 1.6, 1.3 * math.sqrt(ends[1]))
    lines = [_line("\u221ad", 1.0, 0.5, ends), _line("Gaussian \u221a(2d/\u03c0)", math.sqrt(2 / math.pi), 0.5, ends)]
    last = next((law for law in laws if law.place == "end"), None)
    if last:
        factor, exponent = last.pooled.factor, last.pooled.exponent.value
        lines.append(_line(f"{last.arm}: {factor:.2g} d^{exponent:.3f}", factor, exponent, ends))
    quantity = "r = \u2016g\u2016\u2081 / \u2016g\u2016\u2082 at the end of training"
    title = "Norm ratio against model size"
    return Chart("size", title, quantity, "weights d", (*lines, *series), shown, log_x=True, log_y=True)


def _series(key: str, title: str, tasks: Sequence[TaskRuns]) -> Series:
    points = sorted(point for group in _points(key, tasks, PLACES["end"]).values() for point in group)
    return Series(key, title, tuple(dim for dim, _ in points), tuple(ratio for _, ratio in points), "scatter")


def _line(label: str, factor: float, exponent: float, ends: tuple[float, float]) -> Series:
    return Series("", label, ends, tuple(factor * end**exponent for end in ends), "law")
