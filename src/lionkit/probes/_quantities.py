"""The paper's quantities of a gradient: norms, their ratio, the KKT residual, the box."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from lionkit.kernels._statistics import ON_BOX


@dataclass(frozen=True)
class Quantities:
    r"""What one gradient :math:`g` at weights :math:`\theta`, decayed by :math:`\lambda`, says.

    Attributes:
        dim: Number of coordinates d.
        l1: :math:`\|g\|_1`, in loss per weight.
        l2: :math:`\|g\|_2`, in loss per weight.
        kkt_residual: :math:`S = \|g\|_1 + \lambda\langle\theta, g\rangle`, in loss per weight. Inside the box it
            is at least 0, and 0 exactly at a KKT point of min f subject to
            :math:`\|\theta\|_\infty \le 1/\lambda`; outside the box it may be negative, so read it beside
            ``box_excess``. Without decay it is the l1 norm.
        box_excess: :math:`\max(\lambda\|\theta\|_\infty - 1, 0)`, without unit: how far the weights are outside.
        num_on_box: How many coordinates have :math:`\lambda|\theta_i| \ge 1 - 10^{-3}`.

    References:
        Dong, Li, Lin, "Convergence Rate Analysis of LION", arXiv 2411.07724: equation (8), Lemma 1,
        Theorem 2 (i).
    """

    dim: int
    l1: float
    l2: float
    kkt_residual: float
    box_excess: float
    num_on_box: int

    @property
    def ratio(self) -> float:
        r"""The norm ratio :math:`r = \|g\|_1 / \|g\|_2`, from 1 to :math:`\sqrt d`; nan for a zero gradient."""
        return self.l1 / self.l2 if self.l2 else math.nan

    @property
    def ratio_over_sqrt_dim(self) -> float:
        r""":math:`r / \sqrt d`, at most 1; :math:`\sqrt{2/\pi} \approx 0.798` for Gaussian coordinates."""
        return self.ratio / math.sqrt(self.dim) if self.dim else math.nan

    @property
    def box_share(self) -> float:
        """The share of coordinates on the box, from 0 to 1."""
        return self.num_on_box / self.dim if self.dim else 0.0


def measure(theta: Tensor, gradient: Tensor, weight_decay: float) -> Quantities:
    """Measure one parameter, in float64; complex tensors count as pairs of reals.

    Args:
        theta: The weights, any shape.
        gradient: The gradient, of the same shape.
        weight_decay: The decoupled decay of these weights, at least 0.
    """
    theta, gradient = _real(theta).double(), _real(gradient).double()
    scaled = theta.abs() * weight_decay
    l1 = torch.linalg.vector_norm(gradient, 1)
    return Quantities(
        dim=theta.numel(),
        l1=l1.item(),
        l2=torch.linalg.vector_norm(gradient, 2).item(),
        kkt_residual=(l1 + weight_decay * torch.sum(theta * gradient)).item(),
        box_excess=max(scaled.max().item() - 1, 0.0) if scaled.numel() else 0.0,
        num_on_box=int((scaled >= ON_BOX).sum()),
    )


def combine(parts: Iterable[Quantities]) -> Quantities:
    """Return the quantities of parameters taken together as one vector."""
    parts = list(parts)
    return Quantities(
        dim=sum(part.dim for part in parts),
        l1=math.fsum(part.l1 for part in parts),
        l2=math.hypot(*(part.l2 for part in parts)),
        kkt_residual=math.fsum(part.kkt_residual for part in parts),
        box_excess=max((part.box_excess for part in parts), default=0.0),
        num_on_box=sum(part.num_on_box for part in parts),
    )


def _real(tensor: Tensor) -> Tensor:
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor
