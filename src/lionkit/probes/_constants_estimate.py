"""An estimate with its interval, and how many samples it lacks."""

from __future__ import annotations

import functools
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

    @classmethod
    def of_error(cls, value: float, error: float, freedom: int, confidence: float, num_samples: int) -> Estimate:
        """Return Student's interval around a value.

        Args:
            value: The value.
            error: Its standard error, itself estimated.
            freedom: With how many degrees of freedom, at least 1.
            confidence: Of the interval, in (0, 1).
            num_samples: How many samples the value is made of.
        """
        half = student_quantile(confidence, freedom) * error
        return cls(value, value - half, value + half, num_samples)

    @classmethod
    def of_mean(cls, samples: Sequence[float], confidence: float) -> Estimate:
        """Return Student's interval of the mean of independent samples.

        Args:
            samples: At least two.
            confidence: Of the interval, in (0, 1).

        Example:
            >>> from lionkit.probes import Estimate
            >>> print(Estimate.of_mean([1.0, 2.0, 3.0, 4.0, 5.0], confidence=0.9))
            3 (1.493 to 4.507, from 5)
        """
        error = stdev(samples) / math.sqrt(len(samples))
        return cls.of_error(fmean(samples), error, len(samples) - 1, confidence, len(samples))

    @property
    def relative(self) -> float:
        """How far the truth may be from the value, as a share of it; 0 where both are 0."""
        width = max(self.high - self.value, self.value - self.low)
        return width / abs(self.value) if width else 0.0

    def __str__(self) -> str:
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g}, from {self.num_samples})"


def positive_mean_of(samples: Sequence[float], confidence: float) -> Estimate:
    """Estimate the mean of what is never negative: Student's interval of the mean's logarithm.

    The interval is the same for every unit, and skewed as such a mean is. Without any spread it is the value alone.
    """
    mean = Estimate.of_mean(samples, confidence)
    value, half = mean.value, mean.high - mean.value
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


@functools.cache
def student_quantile(confidence: float, freedom: int) -> float:
    """Return how many standard errors a two-sided interval reaches, to 12 digits.

    Args:
        confidence: Of the interval, in (0, 1).
        freedom: Degrees of freedom, at least 1.

    References:
        Abramowitz, Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4, solved by bisection.
    """
    low, high = 0.0, 1.0
    while student_within(high, freedom) < confidence:
        low, high = high, 2 * high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if student_within(middle, freedom) < confidence else (low, middle)
    return high


def student_within(reach: float, freedom: int) -> float:
    """Return the probability that Student's t lies between -reach and reach: a finite sum for whole degrees."""
    angle = math.atan(reach / math.sqrt(freedom))
    odd = freedom % 2
    term, total = math.cos(angle) if odd else 1.0, 0.0
    for number in range(1 + odd, freedom, 2):
        total += term
        term *= number / (number + 1) * math.cos(angle) ** 2
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total
