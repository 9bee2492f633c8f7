"""Student's test of a mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lionkit.probes._constants_estimate import student_within
from lionkit_lab.statistics._spread import Spread


@dataclass(frozen=True)
class TTest:
    """What the test says.

    Attributes:
        t: The mean over its standard error; infinite where the values do not differ.
        p: How likely a mean as far from 0 were if the truth is 0, on both sides; in [0, 1].
        freedom: Degrees of freedom, one less than the values.
    """

    t: float
    p: float
    freedom: int


def t_test(differences: Spread) -> TTest | None:
    r"""Test whether differences have a mean of 0: with differences paired by seed, the paired t-test.

    :math:`t = \bar x \sqrt n / s` with the mean :math:`\bar x` and the standard deviation s of n values. It takes them
    for independent and normal; of three values it can say little, and of several tests some come out by chance.

    Args:
        differences: The values.

    Returns:
        The test; None for one value, which has no spread to compare with.

    Example:
        >>> from lionkit_lab.statistics import Spread, t_test
        >>> print(f"{t_test(Spread((1.0, 2.0, 3.0))).p:.4f}")
        0.0742

    References:
        Student, "The Probable Error of a Mean", Biometrika 6, 1908.
    """
    freedom = len(differences.values) - 1
    if not freedom:
        return None
    mean, sd = differences.mean, differences.sd
    if not sd:
        return TTest(math.copysign(math.inf, mean), 0.0, freedom) if mean else TTest(0.0, 1.0, freedom)
    t = mean * math.sqrt(freedom + 1) / sd
    return TTest(t, max(0.0, 1 - student_within(abs(t), freedom)), freedom)
