"""One step that is far from those before it."""

import math
from typing import Any, final

from lionkit_lab.recipe import Spike as Settings
from lionkit_lab.record import Record
from lionkit_lab.watch._alarm import Finding
from lionkit_lab.watch._window import LEAST, Window

_FEWEST = 10  # values before it: of fewer a spread means little


@final
class Spike:
    r"""Finds a value above :math:`\operatorname{med} + k \cdot 1.4826 \operatorname{MAD}` of the steps before it.

    Median and median absolute deviation bear up to half of their values being outliers, where a mean and a standard
    deviation would be carried along by the first. The value itself joins the window whatever it is: a series that has
    come to stay on another level is no spike any more after half a window.

    Args:
        settings: Window :math:`n` and spreads :math:`k`.
        key: The quantity, of a step.
        what: Its name.
        logarithmic: Whether its logarithm is judged, as of what has a scale and no zero.
    """

    def __init__(self, settings: Settings, key: str, what: str, *, logarithmic: bool) -> None:
        self.reads = (("step", key),)
        self.calm = settings.window
        self._settings, self._what, self._logarithmic = settings, what, logarithmic
        self._window = Window(settings.window)

    def judge(self, value: float, record: Record) -> Finding | None:
        """Judge the value by those before it, and take it in if it is a finite one."""
        if not math.isfinite(value) or (self._logarithmic and value <= 0):
            return None
        level = math.log(value) if self._logarithmic else value
        found = self._judge(value, level) if len(self._window.values) >= _FEWEST else None
        self._window.values.append(level)
        return found

    def _judge(self, value: float, level: float) -> Finding | None:
        middle = self._window.median()
        scale = 1.0 if self._logarithmic else abs(middle)
        spread = max(self._window.spread(), LEAST * scale)
        bound = middle + self._settings.spreads * spread
        if level <= bound:
            return None
        middle, bound = (math.exp(it) if self._logarithmic else it for it in (middle, bound))
        before = f"median of the steps before {middle:.4g}, allowed {bound:.4g}"
        return Finding(f"{self._what} jumps to {value:.4g} ({before})", value, bound)

    def state_dict(self) -> dict[str, Any]:
        """Return the window."""
        return {"values": list(self._window.values)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the window."""
        self._window.fill(state["values"])
