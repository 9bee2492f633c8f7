"""One colour, line and marker for each optimizer, the same in every chart and every task."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lionkit_lab.record._read import OPTIMIZER_TITLES
from lionkit_lab.report._tasks import optimizer_order


@dataclass(frozen=True)
class OptimizerStyle:
    """How one optimizer is drawn.

    Attributes:
        title: Its name as people write it.
        light: Its colour on a light page.
        dark: Its colour on a dark page.
        dash: Its line, as plotly names it.
        marker: Its marker, as plotly names it.
    """

    title: str
    light: str
    dark: str
    dash: str
    marker: str


# Okabe-Ito hues, darkened for white and lightened for black so that each keeps a contrast of at least 3 : 1
# (WCAG 1.4.11); line and marker tell them apart without any colour.
_LOOKS = {
    "lion": ("#c84e00", "#ff9147", "solid", "circle"),
    "adamw": ("#0068a8", "#62b5f0", "dash", "square"),
    "sgd": ("#00805c", "#3ecfa2", "dot", "diamond"),
}
_SPARE_LOOKS = [
    ("#a8447f", "#e591c3", "dashdot", "triangle-up"),
    ("#8a6a00", "#e8c547", "longdash", "pentagon"),
    ("#5b4bb0", "#aca0f5", "longdashdot", "star"),
    ("#5f6670", "#b3bac4", "solid", "triangle-down"),
]


def styles(optimizers: Iterable[str]) -> dict[str, OptimizerStyle]:
    """Give every optimizer its look; the three known ones always have the same.

    Args:
        optimizers: The names that occur in a report; repeated names are allowed.

    Returns:
        Name to look, Lion first. Beyond seven optimizers the looks of the unknown ones repeat.
    """
    names = sorted(set(optimizers), key=optimizer_order)
    others = [name for name in names if name not in _LOOKS]
    looks = {**_LOOKS, **{name: _SPARE_LOOKS[i % len(_SPARE_LOOKS)] for i, name in enumerate(others)}}
    return {name: OptimizerStyle(OPTIMIZER_TITLES.get(name, name), *looks[name]) for name in names}
