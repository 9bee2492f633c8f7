"""A kappa's conjugate where weights stand on the boundary of its domain, and its slope."""

from __future__ import annotations

import torch
from torch import Tensor

from lionkit.kappa import Kappa

# A weight that a step leaves on the boundary may stand outside by the rounding of that step.
_ROUNDING = 64 * torch.finfo(torch.float64).eps


def domain_holds(kappa: Kappa, y: Tensor) -> bool:
    """Say whether a point is in the closure of the conjugate's domain, but for rounding."""
    return bool(kappa.conjugate(y).isfinite()) or kappa.gauge(y).item() <= 1 + _ROUNDING


def conjugate_inside(kappa: Kappa, y: Tensor) -> Tensor:
    """Return the conjugate; of a point outside of its domain, where the way from there to 0 enters it."""
    return kappa.conjugate(y / kappa.gauge(y).clamp(min=1))


def conjugate_gradient(kappa: Kappa, y: Tensor) -> Tensor:
    """Return a subgradient of the conjugate: 0 where the conjugate only says inside or outside."""
    with torch.enable_grad():
        y = y.detach().clone().requires_grad_()
        value = kappa.conjugate(y)
        if not value.requires_grad:
            return torch.zeros_like(y)
        (gradient,) = torch.autograd.grad(value, y, materialize_grads=True)
    return gradient
