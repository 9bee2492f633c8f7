"""Tensors that are spread over processes, torch's `DTensor`: this process's shard, and where it lies in the whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch.distributed.tensor import DTensor

_PLAIN = {Tensor, torch.nn.Parameter}


def is_spread(tensor: Tensor) -> TypeGuard[DTensor]:
    """Whether it is a `DTensor`."""
    if type(tensor) in _PLAIN:
        return False
    from torch.distributed.tensor import DTensor  # a quarter of a second, for those who have one already

    return isinstance(tensor, DTensor)


def any_spread(tensors: Sequence[Tensor]) -> bool:
    """Whether one is a `DTensor`; thousands of plain tensors are told by their types."""
    kinds = set(map(type, tensors))
    return not _PLAIN.issuperset(kinds) and any(map(is_spread, tensors))


def own(tensor: Tensor) -> Tensor:
    """Return this process's shard of a tensor, the same memory; a tensor that is not spread is its own."""
    return tensor.to_local() if is_spread(tensor) else tensor


def own_as(tensor: Tensor, like: Tensor) -> Tensor:
    """Return this process's shard of a tensor, cut as another one is; sends something only where they differ."""
    if is_spread(tensor) and is_spread(like) and tensor.placements != like.placements:
        tensor = tensor.redistribute(like.device_mesh, like.placements)
    return own(tensor)


def cut(whole: Tensor, like: Tensor) -> Tensor:
    """Spread a tensor that every process has as another one is spread; nothing is sent."""
    if not is_spread(like):
        return whole
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(whole, like.device_mesh, like.placements, src_data_rank=None)


def as_spread(found: Any, like: Tensor) -> Any:
    """Cut what has dims to be cut as ``like`` is, where it is not spread yet; anything else as it is."""
    takes = isinstance(found, Tensor) and found.ndim and not is_spread(found)
    return cut(found, like) if takes and is_spread(like) else found


def spread(shard: Tensor, like: Tensor) -> Tensor:
    """Return the tensor whose shards these are, cut as ``like`` is; of its shape, or all shards are of one length."""
    if not is_spread(like):
        return shard
    from torch.distributed.tensor import DTensor

    mesh, placements = like.device_mesh, like.placements
    if shard.shape != own(like).shape:
        return DTensor.from_local(shard, mesh, placements, run_check=False)
    return DTensor.from_local(shard, mesh, placements, run_check=False, shape=like.shape, stride=like.stride())


def places(tensor: Tensor) -> Tensor | None:
    """Return where the coordinates of this process's shard are in the whole, in row-major order; None: all are here.

    Returns:
        int64, of as many elements as the shard has, each in row-major order of the whole tensor.
    """
    if not is_spread(tensor):
        return None
    # The only name that torch 2.13 has for it.
    from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

    shape, offsets = compute_local_shape_and_global_offset(tensor.shape, tensor.device_mesh, tensor.placements)
    found = torch.zeros((), dtype=torch.int64, device=own(tensor).device)
    for dim, (size, offset) in enumerate(zip(shape, offsets, strict=True)):
        stride = math.prod(tensor.shape[dim + 1 :])
        along = torch.arange(offset, offset + size, device=found.device) * stride
        found = found[..., None] + along
    return found.flatten()


def parts_at_blocks(tensor: Tensor, block: int) -> bool:
    """Whether every process has the same number of whole blocks, in row-major order, or the whole tensor."""
    if not is_spread(tensor):
        return True
    if tensor.is_complex():
        return False
    cuts = [(size, it) for size, it in zip(tensor.device_mesh.shape, tensor.placements, strict=True) if it.is_shard()]
    if len(cuts) != 1:
        return not cuts
    ((size, placement),) = cuts
    return placement.is_shard(0) and _parts_evenly(tensor.shape[0], tensor.numel(), size, block)


def _parts_evenly(rows: int, numel: int, count: int, block: int) -> bool:
    return count == 1 or (rows % count == 0 and (numel // count) % block == 0)


def from_all(found: Tensor, like: Tensor) -> Tensor:
    """Return what every process has found in its shard of a tensor, one row each; of copies, one row."""
    if not is_spread(like):
        return found[None]
    from torch.distributed.tensor import DTensor, Replicate, Shard

    placements = [Shard(0) if it.is_shard() else Replicate() for it in like.placements]
    return DTensor.from_local(found[None], like.device_mesh, placements, run_check=False).full_tensor()


def of_all(found: Tensor, like: Tensor, reduction: Literal["sum", "min", "max"]) -> Tensor:
    """Return the sum, the least or the largest of what every process has found in its shard of a tensor."""
    if not is_spread(like):
        return found
    from torch.distributed.tensor import DTensor, Partial, Replicate

    placements = [Partial(reduction) if it.is_shard() else Replicate() for it in like.placements]
    return DTensor.from_local(found, like.device_mesh, placements, run_check=False).full_tensor()
