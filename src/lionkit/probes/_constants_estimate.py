"""An estimate with its interval, and how many samples it lacks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

LEAST_SAMPLES = 4  # fewer say next to nothing of their own spread


@dataclass(frozen=True)
class Estimate:
    """A number that was measured, and where the truth lies.

    Attributes:
        value: The best guess.
        low: The lower end of the interval.
        high: The upper end; infinite where the data do not bound it.
        num_samples: How many independent samples (or, for the smoothness, products with the Hessian) it is made of.
    """

    value: float
    low: float
    high: float
    num_samples: int

    @property
    def relative(self) -> float:
        """How far the truth may be from the value, as a share of it; 0 where both are 0."""
        width = max(self.high - self.value, self.value - self.low)
        return width / abs(self.value) if width else 0.0

    def __str__(self) -> str:
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g}, from {self.num_samples})"


def mean_of(samples: Sequence[float], confidence: float) -> Estimate:
    """Estimate a mean by Student's interval."""
    value, half = fmean(samples), _half_width(samples, confidence)
    return Estimate(value, value - half, value + half, len(samples))


def positive_mean_of(samples: Sequence[float], confidence: float) -> Estimate:
    """Estimate the mean of what is never negative: Student's interval of the mean's logarithm.

    The interval is the same for every unit, and skewed as such a mean is. Without any spread it is the value alone.
    """
    value, half = fmean(samples), _half_width(samples, confidence)
    factor = math.exp(half / value) if half else 1.0
    return Estimate(value, value / factor, value * factor, len(samples))


def line_slope(levels: Sequence[Estimate], confidence: float) -> Estimate:
    r"""Estimate the slope of :math:`\log_2` of estimates that stand one apart, by weighted least squares.

    Args:
        levels: Estimates above 0 by `positive_mean_of` at the same ``confidence``, independent of each other.
        confidence: Of the interval.
    """
    quantile = NormalDist().inv_cdf((1 + confidence) / 2)
    errors = [math.log2(it.high / it.value) / student_quantile(confidence, it.num_samples - 1) for it in levels]
    weights = [error**-2 for error in errors]
    centre = math.fsum(w * x for x, w in enumerate(weights)) / math.fsum(weights)
    spread = math.fsum(w * (x - centre) ** 2 for x, w in enumerate(weights))
    slope = math.fsum(
        w * (x - centre) * math.log2(it.value) for x, (w, it) in enumerate(zip(weights, levels, strict=True))
    )
    slope /= spread
    half = quantile / math.sqrt(spread)
    return Estimate(slope, slope - half, slope + half, sum(it.num_samples for it in levels))


def student_quantile(confidence: float, freedom: int) -> float:
    """Return how many standard errors a two-sided interval reaches, by the expansion in 1 / freedom.

    From 3 degrees of freedom and for a confidence of at most 0.99 it is within 3% of the exact quantile.

    References:
        Fisher, Cornish, "The Percentile Points of Distributions Having Known Cumulants", Technometrics 2 (1960).
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    corrections = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / freedom**power for power, term in enumerate(corrections, start=1))


def _half_width(samples: Sequence[float], confidence: float) -> float:
    return student_quantile(confidence, len(samples) - 1) * stdev(samples) / math.sqrt(len(samples))
