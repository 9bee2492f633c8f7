"""A quantity over several seeds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from lionkit.probes import Estimate

CONFIDENCE = 0.95
"""Of every interval, by Student's distribution."""


@dataclass(frozen=True)
class Spread:
    """A quantity over the seeds.

    Attributes:
        values: One of each seed, in the order of the seeds; at least one.

    Example:
        >>> from lionkit_lab.statistics import Spread
        >>> losses = Spread((0.5, 0.7, 0.6))
        >>> print(f"{losses.mean:.1f}, sd {losses.sd:.1f}, {losses.interval}")
        0.6, sd 0.1, 0.6 (0.3516 to 0.8484, from 3)
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return statistics.fmean(self.values)

    @property
    def sd(self) -> float | None:
        """The standard deviation over the seeds; None for one seed."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    @property
    def interval(self) -> Estimate | None:
        """The mean with its interval; None for one seed."""
        return Estimate.of_mean(self.values, CONFIDENCE) if len(self.values) > 1 else None

    def minus(self, base: Spread) -> Spread:
        """Return the differences, paired by seed."""
        return Spread(tuple(own - other for own, other in zip(self.values, base.values, strict=True)))

    @classmethod
    def of_differences(cls, own: Mapping[int, float], base: Mapping[int, float]) -> Spread | None:
        """Return the differences of the seeds that both have; None where they share none.

        Args:
            own: Value by seed.
            base: Value by seed.
        """
        values = tuple(own[seed] - base[seed] for seed in sorted(own.keys() & base.keys()))
        return cls(values) if values else None
