"""Rates of arXiv 2508.12327 (Jiang, Zhang): Lion on one machine and on many, as far as they are known to us.

Read in a reproduction of that paper, not in the paper: orders without constants. Its betas weigh the *new*
gradient; the settings here are in this library's convention, where they weigh the old momentum.
"""

from __future__ import annotations

import math

from lionkit.theory._checks import require, require_count
from lionkit.theory._problem import Problem
from lionkit.theory._rates import AVERAGE_L1
from lionkit.theory._result import STOCHASTIC, Assumption, Rate

_LITTLE_DECAY = ("weight_decay <= 1 / (2 lr T)", "|theta_1|_inf <= lr")
_VARIANCE_REDUCED = (Assumption.AVERAGE_SMOOTH, Assumption.UNBIASED, Assumption.BOUNDED_VARIANCE)


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
        _VARIANCE_REDUCED,
        (
            "1 - beta2 = O(T^(-2/3))",
            "1 - beta2 <= 1 - beta1 <= sqrt(1 - beta2)",
            "lr = O(d^(-1/2) T^(-2/3))",
            "a first batch of O(T^(1/3))",
        ),
    )


def distributed_rate(problem: Problem, steps: int, workers: int) -> Rate:
    r"""Theorem 3: n workers send their direction in full, the server takes its sign: :math:`O(d^{1/2} (nT)^{-1/4})`.

    Raises:
        ValueError: a count is not one, or fewer steps than workers.

    Example:
        >>> from lionkit.theory import Problem, distributed_rate
        >>> distributed_rate(Problem(dim=100, smoothness=1.0, noise=1.0, gap=1.0), steps=2500, workers=4).value
        1.0

    References:
        arXiv 2508.12327, Theorem 3.
    """
    _check_counts(steps, workers)
    require(steps >= workers, "steps", steps, f"Theorem 3 of arXiv 2508.12327 needs T >= n = {workers}")
    return Rate(
        "arXiv 2508.12327, Theorem 3: distributed Lion",
        AVERAGE_L1,
        "O(d^(1/2) / (n T)^(1/4))",
        math.sqrt(problem.dim) / (workers * steps) ** 0.25,
        (*STOCHASTIC, "T >= n"),
        ("1 - beta2 = O(n^(1/2) T^(-1/2))", "lr = O(n^(1/4) d^(-1/2) T^(-3/4))"),
    )


def distributed_vr_rate(problem: Problem, steps: int, workers: int) -> Rate:
    r"""Theorem 4: as Theorem 3 with a variance-reduced momentum, :math:`O(d^{1/2} (nT)^{-1/3})`.

    Raises:
        ValueError: a count is not one, or fewer steps than workers squared.

    Example:
        >>> from lionkit.theory import Problem, distributed_vr_rate
        >>> round(distributed_vr_rate(Problem(100, smoothness=1.0, noise=1.0, gap=1.0), 500, workers=2).value, 9)
        1.0

    References:
        arXiv 2508.12327, Theorem 4.
    """
    _check_counts(steps, workers)
    require(steps >= workers**2, "steps", steps, f"Theorem 4 of arXiv 2508.12327 needs T >= n^2 = {workers**2}")
    return Rate(
        "arXiv 2508.12327, Theorem 4: distributed variance-reduced Lion",
        AVERAGE_L1,
        "O(d^(1/2) / (n T)^(1/3))",
        math.sqrt(problem.dim) / (workers * steps) ** (1 / 3),
        (*_VARIANCE_REDUCED, "T >= n^2"),
        (
            "1 - beta2 = O(n^(1/3) T^(-2/3))",
            "lr = O(n^(1/3) d^(-1/2) T^(-2/3))",
            "a first batch of O(n^(-2/3) T^(1/3))",
        ),
    )


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
    _check_counts(steps, workers)
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
    _check_counts(steps, workers)
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
        (*_VARIANCE_REDUCED, Assumption.BOUNDED_GRADIENT),
        (
            "1 - beta2 = O(T^(-1/2))",
            "lr = O(d^(-1/2) T^(-1/2))",
            "weight_decay <= min(sqrt(L) / (T sqrt(lr G)), 1 / (2 lr T))",
        ),
    )


def _check_counts(steps: int, workers: int) -> None:
    require_count("steps", steps)
    require_count("workers", workers)


_AVERAGE_L2 = "mean over k of E[||grad f(theta_k)||_2] (stated for the l1 norm; see the docstring)"
