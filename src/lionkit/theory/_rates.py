"""Rates of other methods that the paper sets Lion's beside, and CLion's: orders, without constants."""

from __future__ import annotations

import math

from lionkit.theory._checks import require_count, require_positive
from lionkit.theory._problem import Problem
from lionkit.theory._result import STOCHASTIC, Rate

AVERAGE_L1 = "mean over k of E[|grad f(theta_k)|_1]"


def sgd_rate(problem: Problem, steps: int) -> Rate:
    r"""Equation (2): SGD reaches a stationary point, in the l2 norm.

    .. math:: \frac1K\sum_k \mathbb E\|\nabla f(\theta_k)\|_2 = O(\sqrt[4]{\sigma^2L\Delta}\, K^{-1/4})

    Under Assumptions 1 to 3. It matches the lower bound for any method that sees noisy gradients alone. Beside it,
    Lion's rate has a factor :math:`\sqrt d`, and an l1 norm that is up to :math:`\sqrt d` times the l2 norm.

    Raises:
        ValueError: ``steps`` is not a count.

    Example:
        >>> from lionkit.theory import Problem, sgd_rate
        >>> sgd_rate(Problem(dim=100, smoothness=1.0, noise=1.0, gap=16.0), steps=10**4).value
        0.2

    References:
        arXiv 2411.07724, equation (2), from Bottou, Curtis, Nocedal, "Optimization Methods for Large-Scale
        Machine Learning", SIAM Review 60 (2018).
    """
    require_count("steps", steps)
    return Rate(
        "SGD, equation (2)",
        "mean over k of E[||grad f(theta_k)||_2]",
        "O((sigma^2 L gap)^(1/4) / K^(1/4))",
        problem.scale / steps**0.25,
        STOCHASTIC,
    )


def sign_momentum_rate(problem: Problem, steps: int) -> Rate:
    r"""Equation (3): sign descent with momentum reaches a stationary point, in the l1 norm.

    .. math:: \frac1K\sum_k \mathbb E\|\nabla f(\theta_k)\|_1 = O\Big(\frac{\Delta}{LK^{1/4}} + \frac{d}{K^{1/4}}\Big)

    Under Assumptions 1 to 3. Linear in d, where Lion's analysis has :math:`\sqrt d`. The units of the summands do not
    agree (weight squared and none, for a norm in loss per weight): the constants inside of O hide a choice of units, so
    that the value changes when loss or weights are scaled. Compare it in K and d alone.

    Raises:
        ValueError: ``steps`` is not a count.

    Example:
        >>> from lionkit.theory import Problem, sign_momentum_rate
        >>> sign_momentum_rate(Problem(dim=100, smoothness=2.0, noise=1.0, gap=16.0), steps=10**4).value
        10.8

    References:
        arXiv 2411.07724, equation (3), from Sun, Wang, Li, Wang, "Momentum Ensures Convergence of SignSGD under
        Weaker Assumptions", ICML 2023.
    """
    require_count("steps", steps)
    return Rate(
        "sign momentum, equation (3)",
        AVERAGE_L1,
        "O(gap / (L K^(1/4)) + d / K^(1/4))",
        (problem.gap / problem.smoothness + problem.dim) / steps**0.25,
        STOCHASTIC,
    )


def clion_rate(problem: Problem, steps: int) -> Rate:
    r"""CLion reaches a stationary point as fast as Lion: :math:`O(\sqrt d\, T^{-1/4})` in the l1 norm.

    Known from the abstract alone: how the constants enter, and the threshold that the proof takes, are not.

    Raises:
        ValueError: ``steps`` is not a count.

    Example:
        >>> from lionkit.theory import Problem, clion_rate
        >>> clion_rate(Problem(dim=100, smoothness=1.0, noise=1.0, gap=16.0), steps=10**4).value
        1.0

    References:
        Huang, Zhang, Chen, "CLion: Efficient Cautious Lion Optimizer with Enhanced Generalization",
        arXiv 2604.14587, abstract.
    """
    require_count("steps", steps)
    value = math.sqrt(problem.dim) / steps**0.25
    return Rate("CLion, convergence", AVERAGE_L1, "O(sqrt(d) / T^(1/4))", value, STOCHASTIC)


def lion_stability_rate(num_samples: int, steps: int, smallest_entry: float) -> Rate:
    r"""Lion's generalisation error by algorithmic stability: :math:`O(1 / (N\tau^T))`; SignSGD's is the same.

    For any :math:`\tau < 1` it grows exponentially in the number of steps, and soon says nothing.

    Args:
        num_samples: :math:`N`, the size of the training set.
        steps: :math:`T`.
        smallest_entry: :math:`\tau`, above 0: the smallest non-zero absolute entry of the gradient estimate, in
            loss per weight. The bound takes a power of it, so it depends on the unit of the loss.

    Returns:
        The rate; its value is infinite where it overflows.

    Raises:
        ValueError: a count is not one, or ``smallest_entry`` is not above 0.

    Example:
        >>> from lionkit.theory import lion_stability_rate
        >>> lion_stability_rate(num_samples=1000, steps=3, smallest_entry=0.1).value
        1.0

    References:
        arXiv 2604.14587, abstract; the proof is not public to us, and a review of it calls the claim on
        :math:`\tau` weakly supported.
    """
    require_count("num_samples", num_samples)
    require_count("steps", steps)
    require_positive("smallest_entry", smallest_entry)
    exponent = -steps * math.log10(smallest_entry) - math.log10(num_samples)
    value = 10**exponent if exponent < 308 else math.inf
    return Rate("Lion, stability", _GENERALISATION, "O(1 / (N tau^T))", value)


def clion_stability_rate(num_samples: int) -> Rate:
    r"""CLion's generalisation error by algorithmic stability: :math:`O(1/N)`, without :math:`\tau`.

    Args:
        num_samples: :math:`N`, the size of the training set.

    Raises:
        ValueError: ``num_samples`` is not a count.

    Example:
        >>> from lionkit.theory import clion_stability_rate
        >>> print(clion_stability_rate(num_samples=1000))
        CLion, stability: gap between the expected loss on new and on training data is O(1 / N)
          O(1) times  0.001

    References:
        arXiv 2604.14587, abstract. For the gate over the whole tensor; the threshold that the proof takes is
        not known to us.
    """
    require_count("num_samples", num_samples)
    return Rate("CLion, stability", _GENERALISATION, "O(1 / N)", 1 / num_samples)


_GENERALISATION = "gap between the expected loss on new and on training data"
