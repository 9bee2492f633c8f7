"""Rates of arXiv 2508.12327 (Jiang, Zhang): Lion on one machine, as far as they are known to us.

Read in a reproduction of that paper, not in the paper: orders without constants. Its betas weigh the *new*
gradient; the settings here are in this library's convention, where they weigh the old momentum.
"""

from __future__ import annotations

import math

from lionkit.theory._checks import require_count
from lionkit.theory._problem import Problem
from lionkit.theory._rates import AVERAGE_L1
from lionkit.theory._result import STOCHASTIC, VARIANCE_REDUCED, Rate

_LITTLE_DECAY = ("weight_decay <= 1 / (2 lr T)", "|theta_1|_inf <= lr")


def centralized_rate(problem: Problem, steps: int) -> Rate:
    r"""Theorem 1: Lion, :math:`O(d^{1/2} T^{-1/4})`.

    Raises:
        ValueError: ``steps`` is not a count.

    Example:
        >>> from lionkit.theory import Problem, centralized_rate
        >>> centralized_rate(Problem(dim=100, smoothness=1.0, noise=1.0, gap=1.0), steps=10**4).value
        1.0

    References:
        arXiv 2508.12327, Theorem 1.
    """
    require_count("steps", steps)
    return Rate(
        "arXiv 2508.12327, Theorem 1: Lion",
        AVERAGE_L1,
        "O(d^(1/2) / T^(1/4))",
        math.sqrt(problem.dim) / steps**0.25,
        STOCHASTIC,
        (
            "1 - beta2 = O(T^(-1/2))",
            "(1 - beta2)^2 <= 1 - beta1 <= sqrt(1 - beta2)",
            "lr = O(d^(-1/2) T^(-3/4))",
            *_LITTLE_DECAY,
        ),
    )


def centralized_vr_rate(problem: Problem, steps: int) -> Rate:
    r"""Theorem 2: Lion with a variance-reduced (STORM) momentum, :math:`O(d^{1/2} T^{-1/3})`.

    Two gradients a step, on the same batch.

    Raises:
        ValueError: ``steps`` is not a count.

    Example:
        >>> from lionkit.theory import Problem, centralized_vr_rate
        >>> round(centralized_vr_rate(Problem(dim=100, smoothness=1.0, noise=1.0, gap=1.0), steps=1000).value, 9)
        1.0

    References:
        arXiv 2508.12327, Theorem 2.
    """
    require_count("steps", steps)
    return Rate(
        "arXiv 2508.12327, Theorem 2: variance-reduced Lion",
        AVERAGE_L1,
        "O(d^(1/2) / T^(1/3))",
        math.sqrt(problem.dim) / steps ** (1 / 3),
        VARIANCE_REDUCED,
        (
            "1 - beta2 = O(T^(-2/3))",
            "1 - beta2 <= 1 - beta1 <= sqrt(1 - beta2)",
            "lr = O(d^(-1/2) T^(-2/3))",
            "a first batch of O(T^(1/3))",
        ),
    )
