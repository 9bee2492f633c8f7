"""A power law through points of several groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from lionkit.probes import Estimate
from lionkit_lab.statistics._spread import CONFIDENCE

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class PowerLaw:
    r"""The fit :math:`y = a x^b`.

    Attributes:
        factor: a, or the geometric mean of the groups' own.
        exponent: b, with Student's interval; ``num_samples`` is the number of points.
    """

    factor: float
    exponent: Estimate

    def at(self, x: float) -> float:
        """Return the fitted y."""
        return self.factor * x**self.exponent.value


def fit(groups: Sequence[Points]) -> PowerLaw | None:
    r"""Fit :math:`\log y = \log a_i + b \log x` by least squares, with an a for each group i and one b for all.

    With one group this is the plain line through all points. With a group an architecture, what one architecture has
    more than another is not taken for growth. The interval is from how far the points are off their lines: seeds of
    one network belong into one point.

    Args:
        groups: Points (x, y), above 0.

    Returns:
        The fit; None where there are too few points for an interval, or all points of each group have one x.

    Example:
        >>> from lionkit_lab.statistics import fit
        >>> print(f"{fit([[(1.0, 2.0), (4.0, 4.0), (16.0, 8.0)]]).exponent.value:.3f}")
        0.500
    """
    logs = [[(math.log(x), math.log(y)) for x, y in group] for group in groups if group]
    centres = [tuple(map(fmean, zip(*group, strict=True))) for group in logs]
    off = [(x - cx, y - cy) for group, (cx, cy) in zip(logs, centres, strict=True) for x, y in group]
    spread = math.fsum(x * x for x, _ in off)
    freedom = len(off) - len(logs) - 1
    # Equal numbers have means that are off by a rounding: what is left of them is no spread.
    if freedom < 1 or spread <= 1e-18 * math.fsum(x * x for group in logs for x, _ in group):
        return None
    slope = math.fsum(x * y for x, y in off) / spread
    error = math.sqrt(math.fsum((y - slope * x) ** 2 for x, y in off) / freedom / spread)
    height = math.fsum(len(group) * (cy - slope * cx) for group, (cx, cy) in zip(logs, centres, strict=True)) / len(off)
    return PowerLaw(math.exp(height), Estimate.of_error(slope, error, freedom, CONFIDENCE, len(off)))
