"""Lemma 6 of arXiv 2411.07724: the direction of a step tracks the gradient."""

from __future__ import annotations

import math

from lionkit.theory._checks import require_count, require_not_negative
from lionkit.theory._problem import Problem, Settings
from lionkit.theory._result import IN_THE_BOX, STOCHASTIC, Assumption, Bound, Term

NEEDS = (*STOCHASTIC, *IN_THE_BOX, Assumption.FIRST_GRADIENT)


def lemma6(problem: Problem, steps: int, settings: Settings, *, start_error: float | None = None) -> Bound:
    r"""Lemma 6: how well the direction :math:`c_k` tracks the gradient.

    .. math::
        \frac1K \sum_k \mathbb E\|c_k - \nabla f(\theta_k)\|_2 \le \frac{\sigma}{K(1-\beta_2)}
        + \frac{2L\eta\sqrt d}{1-\beta_2} + (|\beta_1-\beta_2| + 1-\beta_1)\frac{\sigma}{\sqrt{1-\beta_2}}

    The lemma is stated under Assumptions 1 to 3 alone. Its proof also uses the box (a step is then at most
    :math:`2\eta\sqrt d` long) and :math:`m_0 = g_1`.

    Args:
        problem: The constants.
        steps: :math:`K`, at least 1.
        settings: Any settings; nothing is assumed on how they depend on K.
        start_error: :math:`\mathbb E\|c_1 - \nabla f(\theta_1)\|_2`, in loss per weight. None: :math:`\sigma`, what
            :math:`m_0 = g_1` gives; a momentum from zero has
            :math:`\beta_1\|\nabla f(\theta_1)\|_2 + (1-\beta_1)\sigma`.

    Returns:
        The terms "start", "drift" and "noise", in loss per weight.

    Raises:
        ValueError: ``steps`` is not a count or ``start_error`` is negative.

    Example:
        >>> from lionkit.theory import Problem, Settings, lemma6
        >>> problem = Problem(dim=100, smoothness=1.0, noise=0.5, gap=1.0)
        >>> print(lemma6(problem, 1000, Settings(lr=1e-3, betas=(0.9, 0.99))))
        Lemma 6: mean over k of E||c_k - grad f(theta_k)||_2 is at most 3
          start  E||delta_1|| / (K (1 - beta2))                                    0.05   2%
          drift  2 L lr sqrt(d) / (1 - beta2)                                         2  67%
          noise  (|beta1 - beta2| + 1 - beta1) sigma / sqrt(1 - beta2)             0.95  32%
          total                                                                       3
          needs  Assumption 1: ||grad f(x) - grad f(y)||_2 <= L ||x - y||_2
          needs  Assumption 2: E[g] = grad f, whatever came before
          needs  Assumption 3: E||g - grad f||_2^2 <= sigma^2
          needs  the weights start in the box: |theta_1|_inf <= 1 / weight_decay
          needs  lr * weight_decay <= 1
          needs  the momentum starts at the first gradient: m_0 = g_1

    References:
        arXiv 2411.07724, Lemma 6 (Appendix A.2).
    """
    require_count("steps", steps)
    beta1, beta2 = settings.betas
    error = problem.noise if start_error is None else start_error
    require_not_negative("start_error", error)
    drift = 2 * problem.smoothness * settings.lr * math.sqrt(problem.dim) / (1 - beta2)
    noise = (abs(beta1 - beta2) + 1 - beta1) * problem.noise / math.sqrt(1 - beta2)
    return Bound(
        "Lemma 6",
        "mean over k of E||c_k - grad f(theta_k)||_2",
        (
            Term("start", "E||delta_1|| / (K (1 - beta2))", error / (steps * (1 - beta2))),
            Term("drift", "2 L lr sqrt(d) / (1 - beta2)", drift),
            Term("noise", "(|beta1 - beta2| + 1 - beta1) sigma / sqrt(1 - beta2)", noise),
        ),
        NEEDS if start_error is None else NEEDS[:-1],
    )
