"""The sums of one step, from which the theory's quantities follow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import torch
from torch import Tensor

SUMS: Final = (
    "grad_l1",
    "grad_sq",
    "c_l1",
    "theta_c",
    "theta_m",
    "momentum_l1",
    "theta_max",
    "num_zero",
    "num_agree",
    "num_on_box",
    "c_min",
    "numel",
)
"""What a step can be asked to sum, by the names of `lionkit.probes.Statistics` and in the order of the kernel."""

# Decay brings a weight to its bound geometrically, never exactly; nearer than this it counts as there.
ON_BOX: Final = 1 - 1e-3

_MAX, _MIN = SUMS.index("theta_max"), SUMS.index("c_min")


def statistics(
    params: list[Tensor],
    grads: list[Tensor],
    momenta: list[Tensor],
    *,
    betas: tuple[float, float],
    weight_decay: float,
    maximize: bool,
) -> Tensor:
    """Sum up a step before it is taken: the weights and momenta as they are, the gradients as the step uses them.

    Args:
        params: Real dense tensors, as for every `Backend`.
        grads: Their gradients, unscaled; negated here with ``maximize``.
        momenta: Their momenta, the old ones.
        betas: The first makes c.
        weight_decay: At least 0; with 0 no coordinate is on the box.
        maximize: Ascend.

    Returns:
        A float64 tensor of shape [len(SUMS)] on the CPU. Summands have at least float32, sums float64. Where a
        gradient is not finite the sums over it are not either, and the backends may count such coordinates
        differently.
    """
    parts = []
    for tensors in zip(params, grads, momenta, strict=True):
        dtype = torch.promote_types(tensors[0].dtype, torch.float32)
        theta, g, m = (tensor.to(dtype) for tensor in tensors)
        parts.append(_sums(theta, -g if maximize else g, m, betas[0], weight_decay))
    return merge(parts)


def merge(parts: Iterable[Tensor]) -> Tensor:
    """Return the sums of parameters taken together, from those of each; of none, those of no coordinate."""
    parts = [part.cpu() for part in parts]
    empty = torch.zeros(len(SUMS), dtype=torch.float64, device="cpu")
    empty[_MIN] = torch.inf
    stacked = torch.stack([empty, *parts])
    merged = stacked.sum(0)
    merged[_MAX], merged[_MIN] = stacked[:, _MAX].amax(), stacked[:, _MIN].amin()
    return merged


def _sums(theta: Tensor, g: Tensor, m: Tensor, beta1: float, weight_decay: float) -> Tensor:
    if not theta.numel():
        return merge([])
    c = torch.lerp(m, g, 1 - beta1)
    on_box = theta.abs() * weight_decay >= ON_BOX
    terms = [g.abs(), g.square(), c.abs(), theta * c, theta * m, m.abs()]
    counts = [c == 0, c.sign() * g.sign() > 0, on_box]
    sums = [term.sum(dtype=torch.float64) for term in terms + counts]
    smallest = c.abs().masked_fill((c == 0) | c.isnan(), torch.inf).amin()
    return torch.stack([*sums[:6], theta.abs().amax(), *sums[6:], smallest, sums[0].new_tensor(theta.numel())])
