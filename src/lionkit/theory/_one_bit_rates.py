"""Rates of arXiv 2508.12327 (Jiang, Zhang): a random bit a coordinate, as far as they are known to us.

Read in a reproduction of that paper, not in the paper: orders without constants. Its betas weigh the *new*
gradient; the settings here are in this library's convention, where they weigh the old momentum.
"""

from __future__ import annotations

import math

from lionkit.theory._checks import require_count
from lionkit.theory._distributed_rates import check_counts
from lionkit.theory._problem import Problem
from lionkit.theory._rates import AVERAGE_L1
from lionkit.theory._result import STOCHASTIC, VARIANCE_REDUCED, Assumption, Rate

_AVERAGE_L2 = "mean over k of E[||grad f(theta_k)||_2] (stated for the l1 norm; see the docstring)"


def one_bit_uplink_rate(problem: Problem, steps: int, workers: int) -> Rate:
    r"""Theorem 5: workers send one random, unbiased bit a coordinate, the server the sign of their mean.

    .. math:: O\Big(\min\Big\{\sqrt{d/T}, \sqrt n/T\Big\} + d/\sqrt n\Big)

    The paper has the two as separate statements with two learning rates; the second summand does not fade with T.

    Raises:
        ValueError: a count is not one.

    Example:
        >>> from lionkit.theory import Problem, one_bit_uplink_rate
        >>> one_bit_uplink_rate(Problem(100, smoothness=1.0, noise=1.0, gap=1.0), steps=10**4, workers=10**4).value
        1.01

    References:
        arXiv 2508.12327, Theorem 5.
    """
    check_counts(steps, workers)
    dim = problem.dim
    return Rate(
        "arXiv 2508.12327, Theorem 5: unbiased signs up, signs down",
        AVERAGE_L1,
        "O(sqrt(d / T) + d / sqrt(n)) or O(sqrt(n) / T + d / sqrt(n))",
        min(math.sqrt(dim / steps), math.sqrt(workers) / steps) + dim / math.sqrt(workers),
        (*STOCHASTIC, Assumption.BOUNDED_GRADIENT),
        ("beta2 = 1/2", "lr = O(T^(-1/2) d^(-1/2)), or O(n^(-1/2))"),
    )


def one_bit_rate(problem: Problem, steps: int, workers: int) -> Rate:
    r"""Theorem 6: random, unbiased bits both ways: :math:`O(\max\{d^{1/4}T^{-1/4}, d^{1/10}n^{-1/5}T^{-1/5}\})`.

    A reproduction found the proof of this and of Theorem 7 to hold for the l2 norm alone, with a counter-example
    in the l1 norm; the quantity here is the l2 norm.

    Raises:
        ValueError: a count is not one.

    Example:
        >>> from lionkit.theory import Problem, one_bit_rate
        >>> one_bit_rate(Problem(16, smoothness=1.0, noise=1.0, gap=1.0), steps=10**4, workers=8).value
        0.2

    References:
        arXiv 2508.12327, Theorem 6.
    """
    check_counts(steps, workers)
    ways = (problem.dim / steps) ** 0.25, problem.dim**0.1 * (workers * steps) ** -0.2
    return Rate(
        "arXiv 2508.12327, Theorem 6: unbiased signs both ways",
        _AVERAGE_L2,
        "O(max{d^(1/4) / T^(1/4), d^(1/10) / (n T)^(1/5)})",
        max(ways),
        (*STOCHASTIC, Assumption.BOUNDED_GRADIENT),
    )


def one_bit_vr_rate(problem: Problem, steps: int) -> Rate:
    r"""Theorem 7: as Theorem 6 with a variance-reduced momentum, :math:`O(d^{1/4} T^{-1/4})`.

    In the l2 norm: see `one_bit_rate`.

    Raises:
        ValueError: ``steps`` is not a count.

    Example:
        >>> from lionkit.theory import Problem, one_bit_vr_rate
        >>> one_bit_vr_rate(Problem(16, smoothness=1.0, noise=1.0, gap=1.0), steps=10**4).value
        0.2

    References:
        arXiv 2508.12327, Theorem 7.
    """
    require_count("steps", steps)
    return Rate(
        "arXiv 2508.12327, Theorem 7: variance-reduced, unbiased signs both ways",
        _AVERAGE_L2,
        "O(d^(1/4) / T^(1/4))",
        (problem.dim / steps) ** 0.25,
        (*VARIANCE_REDUCED, Assumption.BOUNDED_GRADIENT),
        (
            "1 - beta2 = O(T^(-1/2))",
            "lr = O(d^(-1/2) T^(-1/2))",
            "weight_decay <= min(sqrt(L) / (T sqrt(lr G)), 1 / (2 lr T))",
        ),
    )
