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
    return torch.cat([_words(piece, 1 + rank) for piece in pieces])


def shared_words(pieces: Sequence[Piece], begin: int, end: int) -> Tensor:
    """Return the words of coordinates [begin, end) of such a row, the same for every worker; 0 beyond its end."""
    drawn = torch.cat([_words(piece, 0) for piece in pieces])
    share = drawn.new_zeros(end - begin)
    part = drawn[begin:end]
    share[: len(part)] = part
    return share


def _words(piece: Piece, stream: int) -> Tensor:
    group, position, param = piece
    key = step_key(step_key(~group["seed"], group["noise_step"]), stream)
    return words(key, position, own(param).numel(), stream="weights", places=places(param))
