"""Whether all processes have the same weights, by two numbers a tensor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor

from lionkit.distributed._errors import DivergedWorkerError, named
from lionkit.momentum._shards import own

_CHUNK = 2**20
_INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}


def checksums(tensors: Sequence[Tensor]) -> Tensor:
    """Return the sum of each tensor's bits and of their products with their places, modulo 2^64: int64, (tensors, 2).

    A change of any one number changes the first, and two that change places the second.

    Args:
        tensors: Floating point, of 2, 4 or 8 bytes a number.

    Example:
        >>> import torch
        >>> one, other = checksums([torch.tensor([1.0, 2.0]), torch.tensor([2.0, 1.0])])
        >>> (one == other).tolist()
        [True, False]
    """
    return torch.stack([_checksum(tensor.detach()) for tensor in tensors])


def _checksum(tensor: Tensor) -> Tensor:
    bits = tensor.contiguous().view(_INTEGERS[tensor.element_size()]).flatten()
    total = torch.zeros(2, dtype=torch.int64, device=tensor.device)
    for begin in range(0, len(bits), _CHUNK):
        part = bits[begin : begin + _CHUNK].to(torch.int64)
        places = torch.arange(begin + 1, begin + 1 + len(part), device=tensor.device)
        total += torch.stack([part.sum(), (part * places).sum()])
    return total


def first_difference(found: Sequence[Tensor]) -> tuple[list[int], int] | None:
    """Return which processes have other checksums than most, and the first tensor in which one does; None: none has.

    Args:
        found: The checksums of every process. Of two processes, or where as many say one thing as the other, it is
            the higher ranks that are named.

    Example:
        >>> import torch
        >>> right, wrong = torch.zeros(3, 2), torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
        >>> first_difference([right, wrong, right])
        ([1], 1)
    """
    rows = [tuple(map(tuple, sums.tolist())) for sums in found]
    most = Counter(rows).most_common(1)[0][0]  # of equally many, what came first
    ranks = [rank for rank, row in enumerate(rows) if row != most]
    if not ranks:
        return None
    return ranks, min(next(i for i, pair in enumerate(rows[rank]) if pair != most[i]) for rank in ranks)


def first_difference_among(
    tensors: Sequence[Tensor], group: dist.ProcessGroup, copies: Sequence[Sequence[int]]
) -> tuple[list[int], int] | None:
    """Return the `first_difference` of the processes of a group, to each of them.

    Args:
        tensors: This process's; of weights that are cut, its shards are compared.
        group: All processes.
        copies: The ranks that should have the same, list by list.
    """
    sums = checksums([own(tensor) for tensor in tensors])
    found = [torch.empty_like(sums) for _ in range(dist.get_world_size(group))]
    dist.all_gather(found, sums, group=group)
    for ranks in copies:
        difference = first_difference([found[rank] for rank in ranks])
        if difference is not None:
            others, index = difference
            return [ranks[other] for other in others], index
    return None


def require_same_weights(
    names: Sequence[str],
    tensors: Sequence[Tensor],
    group: dist.ProcessGroup,
    copies: Sequence[Sequence[int]],
    step: int,
) -> None:
    """Raise on every process where the weights of one differ from those that should be the same.

    Args:
        names: Of the tensors.
        tensors: See `first_difference_among`, as of the two that follow.
        group: All processes.
        copies: The ranks that should have the same, list by list.
        step: How many there were.

    Raises:
        DivergedWorkerError: with the ranks, the step and the first tensor.
    """
    difference = first_difference_among(tensors, group, copies)
    if difference is not None:
        ranks, index = difference
        what = f"diverged by step {step} after agree(): the first tensor that differs is {names[index]}"
        raise DivergedWorkerError(f"{named(ranks, 'has', 'have')} {what}", ranks, names[index])
