"""What kappas share that are norms: the ball of the dual norm, and norms that neither overflow nor underflow."""

from __future__ import annotations

import torch
from torch import Tensor

from lionkit.kappa._base import Kappa

# How far above 1 rounding may push the dual norm of a direction, in units in the last place.
_ROUNDING = 64


class Norm(Kappa):
    r"""A norm. :math:`\kappa^*` is 0 in the unit ball of the dual norm and infinite outside.

    The gradient map depends on the direction of its argument alone and has dual norm 1, except at 0. With weight
    decay the weights end up in the ball of radius 1 / weight_decay of the dual norm, which is the `gauge`.
    """

    def conjugate(self, y: Tensor) -> Tensor:
        """Return 0 in the unit ball of the dual norm, up to rounding, and infinity outside."""
        inside = self.gauge(y) <= 1 + self._rounding * torch.finfo(y.dtype).eps
        return torch.where(inside, y.new_zeros(()), torch.inf)

    @property
    def _rounding(self) -> float:
        return _ROUNDING


def largest(x: Tensor) -> Tensor:
    """Return the largest absolute value, 0 of an empty tensor."""
    return x.abs().amax() if x.numel() else x.new_zeros(())


def p_norm(x: Tensor, p: float, dim: tuple[int, ...] = ()) -> Tensor:
    """Return the lp norm of every group, with ``dim`` kept as size 1.

    Args:
        x: Any shape.
        p: At least 1; infinity is the largest absolute value.
        dim: The dims that a group extends over; (): all.
    """
    if not x.numel():
        return x.new_zeros(())
    divisor = divisor_to_unit(x, dim)
    return divisor * torch.linalg.vector_norm(x / divisor, p, dim or None, keepdim=True)


def normalised(x: Tensor, p: float, dim: tuple[int, ...] = ()) -> Tensor:
    """Divide every group by its lp norm: zeros stay 0, and a group with a coordinate that is not finite is nan."""
    if not x.numel():
        return x
    unit = x / divisor_to_unit(x, dim)
    norm = torch.linalg.vector_norm(unit, p, dim or None, keepdim=True)
    return unit / torch.where(norm == 0, 1, norm)


def divisor_to_unit(x: Tensor, dim: tuple[int, ...] = ()) -> Tensor:
    """Return what brings every group to a largest absolute value of 1; 1 for zeros, nan where not all is finite.

    Squares of small float32 gradients are 0, those of large ones infinite; after a division by it neither happens.
    Autograd takes it as a constant, which is right where it cancels.
    """
    size = x.detach().abs().amax(dim, keepdim=True)
    size = torch.add(size, size, alpha=0)
    return torch.where(size == 0, 1, size)
