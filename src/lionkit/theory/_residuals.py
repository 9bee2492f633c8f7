"""How far weights are from solving the problem that a kappa and a decay induce."""

from __future__ import annotations

import torch
from torch import Tensor

from lionkit.kappa import L1, Kappa
from lionkit.theory._checks import require, require_box, require_same_shapes
from lionkit.theory._conjugate import conjugate_inside


@torch.no_grad()
def kkt_residual(theta: Tensor, gradient: Tensor, weight_decay: float, kappa: Kappa = L1()) -> float:  # noqa: B008
    r"""Return the KKT residual of :math:`\min f(\theta) + \frac1\lambda\kappa^*(\lambda\theta)`.

    .. math:: S(\theta) = \kappa(\nabla f) + \kappa^*(-\lambda\theta) + \lambda\langle\nabla f, \theta\rangle

    By Fenchel and Young it is at least 0 inside of the constraint set, and 0 exactly where
    :math:`-\nabla f` is a subgradient of :math:`\frac1\lambda\kappa^*(\lambda\,\cdot)`: at a KKT point. Where kappa
    is a norm, :math:`\kappa^*` is 0 inside, and S is the paper's residual with kappa, the dual of the norm that
    is constrained, in place of the l1 norm: :math:`\|\nabla f\|_1 + \lambda\langle\nabla f, \theta\rangle` for Lion.
    Outside of the set, :math:`\kappa^*` is taken where the ray from 0 leaves it (infinite there for a barrier such
    as `Arctan`'s), and S may be negative: read it beside `box_excess`.

    Computed in float64. A model's residual is the sum of its parameters'.

    Args:
        theta: The weights, real, any shape.
        gradient: :math:`\nabla f(\theta)`, of the same shape, in loss per weight.
        weight_decay: :math:`\lambda`, above 0.
        kappa: The geometry; one that induces a constraint.

    Returns:
        S, in the unit of ``kappa.value(gradient)``.

    Raises:
        ValueError: no decay, a kappa without a constraint, or shapes that differ.

    Example:
        >>> import torch
        >>> from lionkit.theory import kkt_residual
        >>> theta, gradient = torch.tensor([2.0, -1.0]), torch.tensor([-3.0, 0.5])
        >>> kkt_residual(theta, gradient, weight_decay=0.5)  # |g|_1 - 0.5 * 6.5
        0.25

    References:
        arXiv 2411.07724, Lemma 1; Xie, Li, arXiv 2404.04454, Lemma 3.8, for any norm.
    """
    _check(weight_decay, kappa)
    require_same_shapes(theta=theta, gradient=gradient)
    y, gradient = -weight_decay * theta.double(), gradient.double()
    return (kappa.value(gradient) + conjugate_inside(kappa, y) - torch.sum(gradient * y)).item()


def frank_wolfe_gap(theta: Tensor, gradient: Tensor, weight_decay: float, kappa: Kappa = L1()) -> float:  # noqa: B008
    r"""Return the Frank-Wolfe gap, the KKT residual over :math:`\lambda`.

    .. math:: G(\theta) = \max_{v} \langle \nabla f, \theta - v\rangle \quad \text{over the constraint set}

    for a norm kappa; a conjugate that is more than a constraint adds its own decrease from :math:`\theta` to v. For
    convex f it bounds the suboptimality.

    Args:
        theta: As in `kkt_residual`.
        gradient: As in `kkt_residual`.
        weight_decay: As in `kkt_residual`.
        kappa: As in `kkt_residual`.

    Returns:
        G, in loss.

    Raises:
        ValueError: as `kkt_residual`.

    Example:
        >>> import torch
        >>> from lionkit.theory import frank_wolfe_gap
        >>> frank_wolfe_gap(torch.tensor([2.0, -1.0]), torch.tensor([-3.0, 0.5]), weight_decay=0.5)
        0.5

    References:
        Sfyraki, Wang, "Lions and Muons: Optimization via Stochastic Frank-Wolfe", arXiv 2506.04192.
    """
    return kkt_residual(theta, gradient, weight_decay, kappa) / weight_decay


def box_excess(theta: Tensor, weight_decay: float, kappa: Kappa = L1()) -> float:  # noqa: B008
    r"""Return how far the weights are outside of the constraint set, relative to its size.

    .. math:: \max(\|\lambda\theta\| - 1, 0)

    in the norm whose unit ball the conjugate's domain is (``kappa.gauge``):
    :math:`\max(\lambda\|\theta\|_\infty - 1, 0)` for Lion.
    A step shrinks it by :math:`1 - \eta\lambda` at least, whatever the gradients: see `contraction`.

    Args:
        theta: The weights, real, any shape.
        weight_decay: :math:`\lambda`, above 0.
        kappa: The geometry; one that induces a constraint.

    Returns:
        The excess, without unit, 0 inside. A model's is the largest of its parameters'.

    Raises:
        ValueError: no decay, or a kappa without a constraint.

    Example:
        >>> import torch
        >>> from lionkit.theory import box_excess
        >>> box_excess(torch.tensor([2.0, -5.0]), weight_decay=0.25)
        0.25

    References:
        arXiv 2411.07724, Theorem 2 (i).
    """
    _check(weight_decay, kappa)
    return max(kappa.gauge(-weight_decay * theta.double()).item() - 1, 0.0)


def _check(weight_decay: float, kappa: Kappa) -> None:
    condition = "it must induce a constraint: its conjugate is finite everywhere"
    require(kappa.problem.constraint is not None, "kappa", kappa, condition)
    require_box(weight_decay)
