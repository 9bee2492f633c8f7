"""The Lion-K update, as in the paper: every other backend is tested against this one."""

from __future__ import annotations

import torch
from torch import Tensor

from lionkit.kernels._schema import Geometry


def reference(
    params: list[Tensor],
    grads: list[Tensor],
    momenta: list[Tensor],
    *,
    kappa: Geometry,
    lr: float | Tensor,
    betas: tuple[float, float],
    weight_decay: float,
    maximize: bool,
) -> None:
    """Step every tensor on its own; the only backend through which autograd can look (`differentiable`)."""
    for param, grad, momentum in zip(params, grads, momenta, strict=True):
        grad = -grad if maximize else grad
        _update(param, grad.to(momentum.dtype), momentum, kappa, lr, betas, weight_decay)


def _update(
    param: Tensor,
    grad: Tensor,
    momentum: Tensor,
    kappa: Geometry,
    lr: float | Tensor,
    betas: tuple[float, float],
    weight_decay: float,
) -> None:
    """Algorithm 1 of arXiv 2411.07724, with the gradient of kappa in the place of the sign."""
    beta1, beta2 = betas
    # c = beta1 * m + (1 - beta1) * g. One lerp computes in float32 or better and rounds to a half precision
    # once, so that the sign of c is right there too, where a rounded beta1 * m could flip it.
    update = kappa.gradient(torch.lerp(momentum, grad, 1 - beta1)).to(param.dtype)
    if weight_decay != 0:
        # The map is ours to overwrite: another buffer of a large parameter costs a tenth of a step of Muon.
        add = torch.add if torch.is_grad_enabled() else torch.Tensor.add_
        update = add(update, param, alpha=weight_decay)
    if isinstance(lr, Tensor):
        param.sub_(update * lr)
    else:
        param.add_(update, alpha=-lr)
    momentum.lerp_(grad, 1 - beta2)
