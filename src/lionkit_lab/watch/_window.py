"""The last few values of a series, and their robust scale."""

from collections import deque
from itertools import pairwise
from statistics import median

_SPREADS_PER_DEVIATION = 1.4826  # of a Gaussian: its standard deviation over its median absolute deviation
_SPREADS_PER_CHANGE = 1.0483  # the same over the median absolute difference of two neighbours: 1.4826 / sqrt(2)

LEAST = 1e-2
"""The least spread over the level: what has settled, or has no noise, may still tremble by a few times that."""


class Window:
    """Keeps the last values.

    Args:
        size: How many, at least 2.
    """

    def __init__(self, size: int) -> None:
        self.values: deque[float] = deque(maxlen=size)

    def median(self, last: int | None = None) -> float:
        """Return the median of the last few, or of all."""
        values = list(self.values)
        return median(values[-last:] if last else values)

    def spread(self) -> float:
        """Return 1.4826 median absolute deviations: the standard deviation of a Gaussian, blind to outliers."""
        middle = self.median()
        return _SPREADS_PER_DEVIATION * median(abs(value - middle) for value in self.values)

    def noise(self) -> float:
        """Return the spread around a trend, from the differences of neighbours; 0 of fewer than 2 values."""
        changes = [abs(after - before) for before, after in pairwise(self.values)]
        return _SPREADS_PER_CHANGE * median(changes) if changes else 0.0

    def fill(self, values: list[float]) -> None:
        """Keep these, and no others."""
        self.values.clear()
        self.values.extend(values)
