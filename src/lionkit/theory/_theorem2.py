"""Theorem 2 (ii) of arXiv 2411.07724: the KKT residual of a run falls as K^(-1/4)."""

from __future__ import annotations

import math

from lionkit.theory._constants import Constants
from lionkit.theory._lemma6 import NEEDS, lemma6
from lionkit.theory._problem import Problem, Settings
from lionkit.theory._result import Bound, Term

AVERAGE_RESIDUAL = "mean over k of E[lambda <grad f(theta_k), theta_k> + |grad f(theta_k)|_1]"


def theorem2_at(problem: Problem, steps: int, settings: Settings, *, start_error: float | None = None) -> Bound:
    r"""Theorem 2 (ii) at any settings: its proof's last line before :math:`c_1, c_2, c_3` are put in.

    .. math::
        \frac1K\sum_k \mathbb E[S(\theta_k)] \le \frac{\Delta}{\eta K}
        + 2\sqrt d \cdot \text{(Lemma 6)} + 2dL\eta

    Under what `lemma6` needs. Use it to ask what the theory says of settings that are not the paper's. At the paper's
    settings it is a little lower than `theorem2`, whose noise term rounds :math:`|c_1 - c_2| + c_1` up to
    :math:`2c_1 + c_2`.

    Args:
        problem: The constants.
        steps: :math:`K`, at least 1.
        settings: Any settings.
        start_error: As in `lemma6`.

    Returns:
        The terms "gap", "start", "drift", "noise" and "curvature", in loss per weight.

    Raises:
        ValueError: as `lemma6`.

    Example:
        >>> from lionkit.theory import Problem, Settings, theorem2_at
        >>> problem = Problem(dim=100, smoothness=1.0, noise=0.5, gap=1.0)
        >>> bound = theorem2_at(problem, 1000, Settings(lr=1e-3, betas=(0.9, 0.99)))
        >>> round(bound["gap"], 6), round(bound.total, 6)
        (1.0, 61.2)

    References:
        arXiv 2411.07724, Appendix A.3.
    """
    tracking = lemma6(problem, steps, settings, start_error=start_error)
    root = math.sqrt(problem.dim)
    curvature = 2 * problem.dim * problem.smoothness * settings.lr
    return Bound(
        "Theorem 2 (ii), any settings",
        AVERAGE_RESIDUAL,
        (
            Term("gap", "gap / (lr K)", problem.gap / (settings.lr * steps)),
            *(Term(term.name, f"2 sqrt(d) * {term.formula}", 2 * root * term.value) for term in tracking.terms),
            Term("curvature", "2 d L lr", curvature),
        ),
        tracking.needs,
    )


def theorem2(problem: Problem, steps: int, constants: Constants, *, weight_decay: float = 0.0) -> Bound:
    r"""Theorem 2 (ii): the mean KKT residual of a run, in five terms.

    .. math::
        \frac1K\sum_{k=1}^K \mathbb E[S(\theta_k)] \le
        \frac{\Delta\sqrt d}{c_3K^{1/4}} + \frac{2\sigma\sqrt d}{c_2K^{1/2}} + \frac{4Lc_3\sqrt d}{c_2K^{1/4}}
        + \frac{2\sigma(2c_1+c_2)\sqrt d}{\sqrt{c_2}K^{1/4}} + \frac{2Lc_3\sqrt d}{K^{3/4}}

    with :math:`S = \lambda\langle\nabla f, \theta\rangle + \|\nabla f\|_1`, under Assumptions 1 to 3 and from a
    start in the box. The decay does not enter the bound;
    it says which box it is for, and without decay S is the l1 norm of the gradient. The theorem also needs
    :math:`m_0 = g_1` (``momentum_init="gradient"``), said in its proof alone, and
    :math:`K \ge \max(c_1, c_2)^2`, not said.

    Args:
        problem: The constants.
        steps: :math:`K`, at least :math:`\max(c_1, c_2)^2`.
        constants: :math:`c_1, c_2, c_3`.
        weight_decay: :math:`\lambda`, at least 0.

    Returns:
        The terms "gap", "start", "drift", "noise" and "curvature", in loss per weight.

    Raises:
        ValueError: too few steps, or a learning rate that breaks ``lr * weight_decay <= 1``.

    Example:
        >>> from lionkit.theory import Constants, Problem, theorem2
        >>> problem = Problem(dim=100, smoothness=1.0, noise=0.5, gap=1.0)
        >>> bound = theorem2(problem, 10**4, Constants(c1=1.0, c2=2.0, c3=0.5))
        >>> [round(term.value, 4) for term in bound.terms]
        [2.0, 0.05, 1.0, 2.8284, 0.01]

    References:
        arXiv 2411.07724, Theorem 2 (ii).
    """
    constants.settings(problem.dim, steps, weight_decay)
    c1, c2, c3 = constants.c1, constants.c2, constants.c3
    root, quarter = math.sqrt(problem.dim), steps**0.25
    slope, noise = problem.smoothness, problem.noise
    return Bound(
        "Theorem 2 (ii)",
        AVERAGE_RESIDUAL,
        (
            Term("gap", "gap sqrt(d) / (c3 K^(1/4))", problem.gap * root / (c3 * quarter)),
            Term("start", "2 sigma sqrt(d) / (c2 K^(1/2))", 2 * noise * root / (c2 * quarter**2)),
            Term("drift", "4 L c3 sqrt(d) / (c2 K^(1/4))", 4 * slope * c3 * root / (c2 * quarter)),
            Term(
                "noise",
                "2 sigma (2 c1 + c2) sqrt(d) / (sqrt(c2) K^(1/4))",
                2 * noise * (2 * c1 + c2) * root / (math.sqrt(c2) * quarter),
            ),
            Term("curvature", "2 L c3 sqrt(d) / K^(3/4)", 2 * slope * c3 * root / quarter**3),
        ),
        NEEDS,
    )
