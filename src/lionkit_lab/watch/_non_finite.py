"""Values that are no numbers."""

import math
from typing import Any, final

from lionkit_lab.record import Record
from lionkit_lab.watch._alarm import Finding


@final
class NonFinite:
    """Finds a minibatch whose loss or gradient is infinite or nan: a step along it would ruin the weights.

    At a logging epoch it finds weights that are ruined already.
    """

    reads = (("step", "loss"), ("step", "grad_l2"), ("log", "train_loss"))
    calm = 1

    def judge(self, value: float, record: Record) -> Finding | None:
        """Judge the value."""
        if math.isfinite(value):
            return None
        return Finding(f"{_named(record)} is {value} at step {record['step']}", value, math.inf)

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: every step is judged by itself."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take nothing."""


def _named(record: Record) -> str:
    if record["kind"] == "log":
        return "train loss"
    return "l2 norm of the gradient" if math.isfinite(record["loss"]) else "loss"
