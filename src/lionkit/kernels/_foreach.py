"""The same update over lists of tensors, through torch's horizontally fused `_foreach` operators."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from lionkit.kernels._schema import Geometry

_TensorLists = tuple[list[Tensor], list[Tensor], list[Tensor]]


def foreach(
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
    """Step all tensors of one device and dtype together: the same operations as the reference, in its order."""
    beta1, beta2 = betas
    for params_, grads_, momenta_ in _by_device_and_dtype(params, grads, momenta):
        grads_ = _cast(torch._foreach_neg(grads_) if maximize else grads_, momenta_[0].dtype)
        c = list(torch._foreach_lerp(momenta_, grads_, 1 - beta1))
        updates = _cast(kappa.foreach_gradient(c), params_[0].dtype)
        if weight_decay != 0:
            updates = torch._foreach_add(updates, params_, alpha=weight_decay)
        if isinstance(lr, Tensor):
            torch._foreach_sub_(params_, torch._foreach_mul(updates, lr))
        else:
            torch._foreach_add_(params_, updates, alpha=-lr)
        torch._foreach_lerp_(momenta_, grads_, 1 - beta2)


def _by_device_and_dtype(params: list[Tensor], grads: list[Tensor], momenta: list[Tensor]) -> Iterator[_TensorLists]:
    """Split the lists; torch's own helper refuses a momentum whose dtype is not its parameter's."""
    groups: defaultdict[object, _TensorLists] = defaultdict(lambda: ([], [], []))
    for param, grad, momentum in zip(params, grads, momenta, strict=True):
        group = groups[param.device, param.dtype, momentum.dtype]
        for tensors, tensor in zip(group, (param, grad, momentum), strict=True):
            tensors.append(tensor)
    yield from groups.values()


def _cast(tensors: Iterable[Tensor], dtype: torch.dtype) -> list[Tensor]:
    return [tensor.to(dtype) for tensor in tensors]
