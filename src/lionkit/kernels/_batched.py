"""The update in batches: tensors that their kappa maps faster together, while they are in the cache."""

from __future__ import annotations

from torch import Tensor

from lionkit.kernels._foreach import foreach
from lionkit.kernels._reference import reference
from lionkit.kernels._schema import Geometry


def batched(
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
    """Step the batches of the kappa one after the other: no list of updates is as long as that of the parameters."""
    settings = {"kappa": kappa, "lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize}
    for positions in kappa.batches(params) or [list(range(len(params)))]:
        some = ([tensors[position] for position in positions] for tensors in (params, grads, momenta))
        (foreach if len(positions) > 1 else reference)(*some, **settings)
