"""Section 3.2 of arXiv 2411.07724: with little decay, Lion reaches a stationary point of f itself."""

from __future__ import annotations

import math
from dataclasses import replace

from lionkit.theory._checks import require, require_not_negative, require_positive
from lionkit.theory._constants import Constants
from lionkit.theory._corollary3 import corollary3
from lionkit.theory._lemma6 import NEEDS
from lionkit.theory._problem import Problem
from lionkit.theory._result import Assumption, Bound, Term
from lionkit.theory._theorem2 import theorem2

HALF_GRADIENT = "mean over k of E[|grad f(theta_k)|_1] / 2"


def inequality10(problem: Problem, constants: Constants) -> Bound:
    r"""Inequality (10): how high the loss can be at any step, in expectation.

    .. math::
        \mathbb E[f(\theta_k)] - f^\star \le \Delta + \frac{2c_3\sigma}{c_2} + \frac{4Lc_3^2}{c_2}
        + \frac{2c_3\sigma(2c_1+c_2)}{\sqrt{c_2}} + 2Lc_3^2

    for every :math:`k \le K + 1`, whatever K and d, under what `theorem2` needs: (A.1) with its powers of K rounded up
    to 1.

    Args:
        problem: The constants.
        constants: :math:`c_1, c_2, c_3`.

    Returns:
        The terms "gap", "start", "drift", "noise" and "curvature", in loss.

    Example:
        >>> from lionkit.theory import Constants, Problem, inequality10
        >>> problem = Problem(dim=100, smoothness=1.0, noise=0.5, gap=1.0)
        >>> round(inequality10(problem, Constants(c1=1.0, c2=1.0, c3=0.5)).total, 6)
        4.5

    References:
        arXiv 2411.07724, inequality (10), from (A.1).
    """
    c1, c2, c3 = constants.c1, constants.c2, constants.c3
    slope, noise = problem.smoothness, problem.noise
    return Bound(
        "inequality (10)",
        "E[f(theta_k)] - f* at every k",
        (
            Term("gap", "gap", problem.gap),
            Term("start", "2 c3 sigma / c2", 2 * c3 * noise / c2),
            Term("drift", "4 L c3^2 / c2", 4 * slope * c3**2 / c2),
            Term("noise", "2 c3 sigma (2 c1 + c2) / sqrt(c2)", 2 * c3 * noise * (2 * c1 + c2) / math.sqrt(c2)),
            Term("curvature", "2 L c3^2", 2 * slope * c3**2),
        ),
        NEEDS,
    )


def theorem4(problem: Problem, steps: int, constants: Constants, *, weight_decay: float, radius: float) -> Bound:
    r"""Theorem 4: the mean gradient of a run with little decay; *half* of it is at most Theorem 2's bound.

    .. math::
        \lambda \le \frac1{2C} \;\Rightarrow\; \frac1{2K}\sum_k \mathbb E\|\nabla f(\theta_k)\|_1
        \le \text{(Theorem 2 (ii))}

    Under what `theorem2` needs and Assumption 4. C bounds every weight of the run. The paper takes it from coercivity:
    (10) bounds :math:`\mathbb E f(\theta_k)`, so the weights stay in a level set. That holds without noise. With noise
    a bounded *expectation* bounds no single run, and the step from (10) to "a constant C such that
    :math:`\|\theta_k\|_\infty \le C` for all k" is open. `reach` gives a C that always holds, at the price that it
    grows with the number of steps.

    Args:
        problem: The constants.
        steps: :math:`K`, at least :math:`\max(c_1, c_2)^2`.
        constants: :math:`c_1, c_2, c_3`.
        weight_decay: :math:`\lambda`, from 0 to :math:`1/(2C)`.
        radius: :math:`C`, above 0, in the unit of the weights.

    Returns:
        The terms of `theorem2`, in loss per weight. They bound half the mean l1 norm.

    Raises:
        ValueError: a decay above :math:`1/(2C)`, or as `theorem2`.

    Example:
        >>> from lionkit.theory import Constants, Problem, theorem2, theorem4
        >>> problem, constants = Problem(dim=100, smoothness=1.0, noise=0.5, gap=1.0), Constants(1.0, 2.0, 0.5)
        >>> bound = theorem4(problem, 10**4, constants, weight_decay=0.1, radius=5.0)
        >>> bound.total == theorem2(problem, 10**4, constants).total
        True

    References:
        arXiv 2411.07724, Theorem 4 and Appendix A.4.
    """
    check_radius(weight_decay, radius)
    return _of_half_the_gradient("Theorem 4", theorem2(problem, steps, constants, weight_decay=weight_decay))


def corollary5(problem: Problem, steps: int, *, weight_decay: float, radius: float) -> Bound:
    r"""Corollary 5: the mean gradient of a run with little decay, at the constants of `corollary3_constants`.

    .. math::
        \frac1{2K}\sum_k \mathbb E\|\nabla f(\theta_k)\|_1
        \le \frac{15\sqrt d}{K^{1/4}}\sqrt[4]{\sigma^2L\Delta}

    Args:
        problem: The constants; the noise above 0.
        steps: :math:`K`, at least `corollary3_steps`.
        weight_decay: :math:`\lambda`, from 0 to :math:`1/(2C)`.
        radius: :math:`C`, above 0; see `theorem4` on what the paper leaves open about it.

    Returns:
        The terms of `corollary3`, in loss per weight. They bound half the mean l1 norm.

    Raises:
        ValueError: a decay above :math:`1/(2C)`, or as `corollary3`.

    Example:
        >>> from lionkit.theory import Problem, corollary5
        >>> problem = Problem(dim=100, smoothness=1.0, noise=1.0, gap=16.0)
        >>> corollary5(problem, 10**4, weight_decay=0.3, radius=2.0)
        Traceback (most recent call last):
            ...
        ValueError: Invalid weight_decay: 0.3, Theorem 4 needs at most 1 / (2 C) = 0.25 with C = 2.0

    References:
        arXiv 2411.07724, Corollary 5.
    """
    check_radius(weight_decay, radius)
    return _of_half_the_gradient("Corollary 5", corollary3(problem, steps, weight_decay=weight_decay))


def check_radius(weight_decay: float, radius: float) -> None:
    """Raise unless the decay is so small that no weight comes near the box."""
    require_positive("radius", radius)
    require_not_negative("weight_decay", weight_decay)
    condition = f"Theorem 4 needs at most 1 / (2 C) = {1 / (2 * radius):.6g} with C = {radius}"
    require(weight_decay <= 1 / (2 * radius), "weight_decay", weight_decay, condition)


def _of_half_the_gradient(statement: str, bound: Bound) -> Bound:
    needs = (*bound.needs, Assumption.COERCIVE, Assumption.WITHIN_RADIUS)
    return replace(bound, statement=statement, quantity=HALF_GRADIENT, needs=needs)
