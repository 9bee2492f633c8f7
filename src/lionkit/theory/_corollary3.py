"""Corollary 3 of arXiv 2411.07724: the rate of the KKT residual, with its best constants."""

from __future__ import annotations

import math

from lionkit.theory._checks import require, require_count
from lionkit.theory._constants import corollary3_constants, corollary3_steps
from lionkit.theory._lemma6 import NEEDS
from lionkit.theory._problem import Problem
from lionkit.theory._result import Assumption, Bound, Term
from lionkit.theory._theorem2 import AVERAGE_RESIDUAL

# What each term of Theorem 2 comes to, in the unit of the bound, at the constants of the corollary: 15 in all.
_PARTS = {"gap": 1, "start": 2, "drift": 4, "noise": 6, "curvature": 2}


def corollary3(problem: Problem, steps: int, *, weight_decay: float = 0.0) -> Bound:
    r"""Corollary 3: the mean KKT residual of a run, at the constants of `corollary3_constants`.

    .. math::
        \frac1K\sum_{k=1}^K \mathbb E[S(\theta_k)] \le \frac{15\sqrt d}{K^{1/4}} \sqrt[4]{\sigma^2 L\Delta}

    Under what `theorem2` needs, it is Theorem 2 with each term rounded up to a whole number of
    :math:`\sqrt d K^{-1/4}\sqrt[4]{\sigma^2L\Delta}`: 1 for the gap, 2 for the start, 4 for the drift, 6 for the noise,
    2 for the curvature. Three of those are exact; "start" and "curvature" fade faster and reach their number at the
    least K that is allowed. (As :math:`c_1 = c_2`, the proof of Lemma 6 allows 2 in place of the 6.)

    Args:
        problem: The constants; the noise above 0.
        steps: :math:`K`, at least `corollary3_steps`.
        weight_decay: :math:`\lambda`, at least 0; it says which box the residual is of.

    Returns:
        The terms "gap", "start", "drift", "noise" and "curvature", in loss per weight.

    Raises:
        ValueError: no noise, too few steps, or a learning rate that breaks ``lr * weight_decay <= 1``.

    Example:
        >>> from lionkit.theory import Problem, corollary3
        >>> round(corollary3(Problem(dim=100, smoothness=1.0, noise=1.0, gap=16.0), steps=10**4).total, 6)
        30.0

    References:
        arXiv 2411.07724, Corollary 3.
    """
    require_count("steps", steps)
    constants, least = corollary3_constants(problem), corollary3_steps(problem)
    require(steps >= least * (1 - 1e-12), "steps", steps, f"Corollary 3 needs at least {least:.6g}")
    constants.settings(problem.dim, steps, weight_decay)
    unit = math.sqrt(problem.dim) * problem.scale / steps**0.25
    formula = "{} sqrt(d) (sigma^2 L gap)^(1/4) / K^(1/4)"
    terms = tuple(Term(name, formula.format(number), number * unit) for name, number in _PARTS.items())
    return Bound("Corollary 3", AVERAGE_RESIDUAL, terms, (*NEEDS, Assumption.ENOUGH_STEPS))
