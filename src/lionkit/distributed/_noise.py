"""The chance of votes: a function of seed, step, worker and place, whatever the buckets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lionkit.kernels import step_key, words
from lionkit.momentum._shards import own, places

Piece = tuple[Mapping[str, Any], int, Tensor]
"""A parameter in a row of several: its group, its position in the optimizer, and itself."""


def worker_words(pieces: Sequence[Piece], rank: int) -> Tensor:
    """Return a word for every coordinate of a row of parameters, those of one worker: int64, (numel,)."""
    return torch.cat([_words(piece, 1 + rank, places(piece[2])) for piece in pieces])


def shared_words(pieces: Sequence[Piece], begin: int, end: int) -> Tensor:
    """Return the words of coordinates [begin, end) of such a row, the same for every worker; 0 beyond its end."""
    share = torch.zeros(end - begin, dtype=torch.int64)
    start = 0
    for piece in pieces:
        size = own(piece[2]).numel()
        first, last = max(begin - start, 0), min(end - start, size)
        if first < last:
            found = places(piece[2])
            here = torch.arange(first, last) if found is None else found[first:last]
            share[start + first - begin : start + last - begin] = _words(piece, 0, here)
        start += size
    return share


def _words(piece: Piece, stream: int, here: Tensor | None) -> Tensor:
    """Draw the words of some places of a parameter, or of all."""
    group, position, param = piece
    key = step_key(step_key(~group["seed"], group["noise_step"]), stream)
    numel = param.numel() if here is None else len(here)
    return words(key, position, numel, stream="weights", places=here)
