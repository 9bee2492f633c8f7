"""The minibatch loss, rising for more than a moment."""

import math
from typing import Any, final

from lionkit_lab.recipe import LossRise as Settings
from lionkit_lab.record import Record
from lionkit_lab.watch._alarm import Finding
from lionkit_lab.watch._window import LEAST, Window

_RECENT = 10  # steps whose median is the smoothed loss: four outliers among them change little
_FEWEST = 5  # the same of the first steps, when there are no more
_UNKNOWN = 0.1  # spread over loss, until ten losses tell it: minibatches of ten images lie closer


@final
class LossRise:
    r"""Finds a smoothed loss :math:`k` spreads above the lowest one so far.

    The smoothed loss is the median of the last ten. The spread is that of single minibatches around the trend, from
    the differences of neighbours over a window, as it was when the loss was lowest: it does not grow with the rise.
    A median of ten has 0.4 spreads of its own, and the lowest of thousands lies some 1.5 spreads below the level.

    Args:
        settings: Window and spreads :math:`k`.
    """

    reads = (("step", "loss"),)
    calm = _RECENT

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._window = Window(settings.window)
        self._lowest, self._spread, self._at = math.inf, 0.0, 0

    def judge(self, value: float, record: Record) -> Finding | None:
        """Take the loss in, and judge the smoothed one."""
        if math.isfinite(value):
            self._window.values.append(value)
        if not self._window.values:
            return None
        smoothed = self._window.median(_RECENT)
        if smoothed < self._lowest:
            self._lowest, self._spread, self._at = smoothed, self._spread_at(smoothed), record["step"]
        bound = self._lowest + self._settings.spreads * self._spread
        if smoothed <= bound or len(self._window.values) < _FEWEST:
            return None
        steps, best = min(_RECENT, len(self._window.values)), f"{self._lowest:.4g} at step {self._at}"
        text = f"minibatch loss rises: median of {steps} steps {smoothed:.4g} (lowest {best}, allowed {bound:.4g})"
        return Finding(text, smoothed, bound)

    def _spread_at(self, level: float) -> float:
        if len(self._window.values) < _RECENT:
            return _UNKNOWN * abs(level)
        return max(self._window.noise(), LEAST * abs(level))

    def state_dict(self) -> dict[str, Any]:
        """Return the window and the lowest."""
        lowest = {"lowest": self._lowest, "spread": self._spread, "at": self._at}
        return {"values": list(self._window.values), **lowest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them."""
        self._window.fill(state["values"])
        self._lowest, self._spread, self._at = state["lowest"], state["spread"], state["at"]
