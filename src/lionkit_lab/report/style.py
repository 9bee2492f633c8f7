"""One colour, line and marker for each arm, the same in every chart and every task."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lionkit_lab.report._optimizers import optimizer_order
from lionkit_lab.report._tasks import TaskRuns
from lionkit_lab.report.arms import Arm


@dataclass(frozen=True)
class ArmStyle:
    """How one arm is drawn.

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
_DASHES = ["longdash", "dashdot", "solid", "longdashdot", "dash", "dot"]
_MARKERS = ["triangle-down", "pentagon", "triangle-up", "star", "square", "diamond", "circle"]


def styles(arms: Iterable[Arm]) -> dict[str, ArmStyle]:
    """Give every arm its look; the first arm of each of the three known optimizers always has the same.

    Args:
        arms: The arms of a report; repeated ones are allowed.

    Returns:
        Key to look, in the order of the arms' optimizers, Lion first. Beyond seven optimizers the colours of the
        unknown ones repeat; beyond some forty arms of one optimizer their lines and markers do.
    """
    unique = sorted(dict.fromkeys(arms), key=lambda arm: (optimizer_order(arm.optimizer), arm.title))
    families = _families({arm.optimizer for arm in unique})
    seen: dict[str, int] = {}
    looks = {}
    for arm in unique:
        place = seen[arm.optimizer] = seen.get(arm.optimizer, -1) + 1
        looks[arm.key] = _variant(arm.title, families[arm.optimizer], place)
    return looks


def arms_of(tasks: Iterable[TaskRuns]) -> list[Arm]:
    """The arms of all tasks."""
    return [arm.arm for task in tasks for arm in task.arms]


def _families(optimizers: set[str]) -> dict[str, tuple[str, str, str, str]]:
    others = sorted(optimizers - set(_LOOKS))
    return {**_LOOKS, **{name: _SPARE_LOOKS[i % len(_SPARE_LOOKS)] for i, name in enumerate(others)}}


def _variant(title: str, family: tuple[str, str, str, str], place: int) -> ArmStyle:
    """The family's own look for its first arm; for the others its hue, by turns deeper, with other lines."""
    light, dark, dash, marker = family
    if place:
        dash, marker = _DASHES[(place - 1) % len(_DASHES)], _MARKERS[(place - 1) % len(_MARKERS)]
    if place % 2:  # away from the page's colour on both, so that the contrast only grows
        light, dark = _mix(light, "#000000"), _mix(dark, "#ffffff")
    return ArmStyle(title, light, dark, dash, marker)


def _mix(colour: str, other: str, share: float = 0.35) -> str:
    pairs = [(int(colour[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round((1 - share) * a + share * b):02x}" for a, b in pairs)
