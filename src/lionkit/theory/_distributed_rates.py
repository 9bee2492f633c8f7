"""Rates of arXiv 2508.12327 (Jiang, Zhang): Lion on many machines, as far as they are known to us.

Read in a reproduction of that paper, not in the paper: orders without constants. Its betas weigh the *new*
gradient; the settings here are in this library's convention, where they weigh the old momentum.
"""

from __future__ import annotations

import math

from lionkit.theory._checks import require, require_count
from lionkit.theory._problem import Problem
from lionkit.theory._rates import AVERAGE_L1
from lionkit.theory._result import STOCHASTIC, VARIANCE_REDUCED, Rate


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
    check_counts(steps, workers)
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
    check_counts(steps, workers)
    require(steps >= workers**2, "steps", steps, f"Theorem 4 of arXiv 2508.12327 needs T >= n^2 = {workers**2}")
    return Rate(
        "arXiv 2508.12327, Theorem 4: distributed variance-reduced Lion",
        AVERAGE_L1,
        "O(d^(1/2) / (n T)^(1/3))",
        math.sqrt(problem.dim) / (workers * steps) ** (1 / 3),
        (*VARIANCE_REDUCED, "T >= n^2"),
        (
            "1 - beta2 = O(n^(1/3) T^(-2/3))",
            "lr = O(n^(1/3) d^(-1/2) T^(-2/3))",
            "a first batch of O(n^(-2/3) T^(1/3))",
        ),
    )


def check_counts(steps: int, workers: int) -> None:
    """Raise unless both are counts."""
    require_count("steps", steps)
    require_count("workers", workers)
