"""What logging epochs measure, rising."""

import math
from typing import Any, final

from lionkit_lab.recipe import EpochRise as Settings
from lionkit_lab.record import Record
from lionkit_lab.watch._alarm import Finding


@final
class EpochRise:
    """Finds a quantity that has been too far above its lowest value, for several logging epochs in a row.

    Args:
        settings: How far and how many.
        key: The quantity, of a "log" record.
        what: Its name.
    """

    calm = 1

    def __init__(self, settings: Settings, key: str, what: str) -> None:
        self.reads = (("log", key),)
        self._settings, self._what = settings, what
        self._lowest, self._in_a_row = math.inf, 0

    def judge(self, value: float, record: Record) -> Finding | None:
        """Compare the value with the lowest one."""
        if value > 0:  # A residual outside the box may be negative, and is no measure of a later one.
            self._lowest = min(self._lowest, value)
        bound = self._settings.factor * self._lowest
        self._in_a_row = 0 if value <= bound else self._in_a_row + 1  # A nan is not below anything.
        if self._in_a_row < self._settings.epochs:
            return None
        allowed = f"lowest {self._lowest:.4g}, allowed {bound:.4g}"
        epochs = f", passed {self._in_a_row} times in a row" if self._in_a_row > 1 else ""
        return Finding(f"{self._what} rises: {value:.4g} ({allowed}{epochs})", value, bound)

    def state_dict(self) -> dict[str, Any]:
        """Return the lowest value and the count."""
        return {"lowest": self._lowest, "in_a_row": self._in_a_row}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them."""
        self._lowest, self._in_a_row = state["lowest"], state["in_a_row"]
