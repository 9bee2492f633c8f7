"""The two phases of Lion-K: into the constraint set, whatever the loss; then down the Lyapunov function."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

from torch import Tensor

from lionkit.kappa import Kappa
from lionkit.theory._checks import require, require_box
from lionkit.theory._conjugate import domain_holds


def phase(theta: Tensor, weight_decay: float, kappa: Kappa) -> Literal[1, 2]:
    r"""Which of the two phases of Lion-K weights are in: 1 outside of the constraint set, 2 inside.

    In phase 1 the distance to the set shrinks exponentially, whatever the loss: see `contraction`. What has
    entered the set stays; there, in phase 2, H falls: see `decrease`. Within rounding of the boundary counts as inside.

    Args:
        theta: The weights, real, any shape.
        weight_decay: :math:`\lambda`, above 0.
        kappa: The geometry. Without a constraint all weights are in phase 2.

    Raises:
        ValueError: no decay.

    Example:
        >>> import torch
        >>> from lionkit.kappa import L1
        >>> from lionkit.theory import phase
        >>> [phase(torch.tensor([2.0, x]), weight_decay=0.5, kappa=L1()) for x in (-3.0, -1.0)]
        [1, 2]

    References:
        arXiv 2310.05898, section 3.
    """
    require_box(weight_decay)
    return 2 if domain_holds(kappa, -weight_decay * theta.double()) else 1


def contraction(lrs: Iterable[float], weight_decay: float) -> float:
    r"""How much of the distance to the constraint set is left after steps with these learning rates, at most.

    .. math:: \prod_k (1 - \eta_k\lambda)

    It bounds what is left of `box_excess`, for every kappa and any gradients. A run whose
    :math:`\sum\eta_k\lambda` is below 3 leaves more than 4% of it: phase 1 then does not really end.

    Args:
        lrs: The learning rate of each step, at least 0; ``[lr] * steps`` for a constant one.
        weight_decay: :math:`\lambda`, above 0.

    Raises:
        ValueError: no decay, or ``lr * weight_decay`` above 1 or below 0 at a step.

    Example:
        >>> from lionkit.theory import contraction
        >>> round(contraction([0.1, 0.05], weight_decay=2.0), 12)
        0.72

    References:
        arXiv 2411.07724, Appendix A.1; arXiv 2310.05898, section 3.
    """
    require_box(weight_decay)
    lrs = list(lrs)
    for lr in lrs:
        require(0 <= lr * weight_decay <= 1, "lr * weight_decay", lr * weight_decay, "Theorem 2 (i) needs 0 to 1")
    return math.prod(1 - lr * weight_decay for lr in lrs)
