"""The figures: measured against bound, over K and over d, and one of each counter-example."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from lionkit_lab.report.arms import Arm
from lionkit_lab.report.chart import Chart, Range, Reference, Series
from lionkit_lab.report.style import ArmStyle, styles
from lionkit_lab.verify._broken import Broken
from lionkit_lab.verify._cells import BASE_DIM, BASE_STEPS
from lionkit_lab.verify._fit import left_side
from lionkit_lab.verify._noises import KINDS
from lionkit_lab.verify._observe import Observation
from lionkit_lab.verify._problems import PROBLEMS, WITHIN
from lionkit_lab.verify._statements import Finding

# Each takes the colour that one of the report's optimizers has.
_COLOURS = {"quadratic": "lion", "cosines": "adamw", "logistic": "sgd"}


def looks() -> dict[str, ArmStyle]:
    """Return how each problem is drawn."""
    return styles(Arm(name, _COLOURS[name], PROBLEMS[name].title) for name in WITHIN)


def of_finding(finding: Finding, observations: Sequence[Observation]) -> list[Chart]:
    """Return the figures of a statement: over K, and, where it has a rate, over d."""
    found = [it for it in observations if it.statement == finding.statement.key and it.problem in WITHIN]
    over_steps = [it for it in found if it.dim == BASE_DIM]
    over_dims = [it for it in found if it.steps == BASE_STEPS]
    made = [_over(finding, over_steps, "K", f"d = {BASE_DIM}", lambda it: it.steps)]
    if finding.statement.rate:
        made.append(_over(finding, over_dims, "d", f"K = {BASE_STEPS}", lambda it: it.dim))
    return made


def of_broken(it: Broken) -> Chart:
    """Return the figure of a counter-example."""
    name, x, y = it.line
    stalls = it.key in ("smooth", "biased", "variance", "radius")
    series = [Series("quadratic", it.how, x, y)]
    if stalls:
        series.append(_falling(x, y[0]))
    references = () if stalls or it.key == "zeros" else (Reference(f"bound {it.bound:g}", it.bound),)
    log = stalls or it.key == "zeros"
    return Chart(
        key=f"broken-{it.key}",
        title=it.assumption[:1].upper() + it.assumption[1:],
        quantity="mean over k" if stalls else it.left.removesuffix(", mean over k").replace("\u2212 least S", "S"),
        x_label=name,
        series=tuple(series),
        y_range=_range((value for one in series for value in one.y if value is not None), log=log),
        references=references,
        log_x=stalls,
        log_y=log,
    )


def _over(
    finding: Finding, found: Sequence[Observation], name: str, fixed: str, x: Callable[[Observation], int]
) -> Chart:
    surely = finding.statement.surely
    lines: dict[tuple[str, str], list[Observation]] = {}
    for it in sorted(found, key=lambda it: (it.noise != "gaussian", it.problem, it.noise, x(it))):
        lines.setdefault((it.problem, it.noise), []).append(it)
    measured = [
        Series(
            problem,
            f"{PROBLEMS[problem].title}, {KINDS[noise].title}",
            tuple(float(x(it)) for it in line),
            tuple(left_side(it, surely=surely).value for it in line),
            best=noise == "gaussian",
        )
        for (problem, noise), line in lines.items()
    ]
    bounds = [
        Series(problem, f"bound, {PROBLEMS[problem].title}", one.x, tuple(it.bound for it in line), "minibatch")
        for ((problem, noise), line), one in zip(lines.items(), measured, strict=True)
        if noise == "gaussian"
    ]
    values = [value for one in (*bounds, *measured) if one.best for value in one.y if value is not None]
    log = min(values) > 0
    return Chart(
        key=f"{finding.statement.key}-{name}".replace("_", "-"),
        title=f"{finding.statement.title} over {name}",
        quantity=f"{finding.statement.left}; {fixed}",
        x_label=name,
        series=(*bounds, *measured),
        y_range=_range(values, log=log),
        log_x=True,
        log_y=log,
    )


def _falling(x: Sequence[float], start: float) -> Series:
    values = tuple(start * (k / x[0]) ** -0.25 for k in x)
    return Series("quadratic", "K^(-1/4)", tuple(x), values, "minibatch")


def _range(values: Iterable[float], *, log: bool) -> Range:
    kept = list(values)
    low, high = min(kept), max(kept)
    if log:
        margin = (high / low) ** 0.06 * 1.05
        return low / margin, high * margin
    margin = 0.06 * (high - low) or 0.05 * math.fabs(high) or 0.5
    return low - margin, high + margin
