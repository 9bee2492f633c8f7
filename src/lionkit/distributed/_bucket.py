"""Gradients that are voted on together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

View = tuple[Sequence[int], Sequence[int], int]
"""Sizes, strides and beginning of a tensor in a row of numbers."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Some parameters and this process's gradients of them; of weights that are cut, its shards.

    Attributes:
        params: At least one.
        grads: Theirs; None: there is none, and this worker abstains.
        views: Where each of the gradients is in the row that is voted on.
        numel: How long the row is.
        dtype: Of the row, and of the gradients.
    """

    params: Sequence[Tensor]
    grads: Sequence[Tensor | None]
    views: Sequence[View]
    numel: int
    dtype: torch.dtype

    def zeros(self) -> Tensor:
        """Return a row of zeros."""
        return torch.zeros(self.numel, dtype=self.dtype)

    def parts(self, row: Tensor) -> list[Tensor]:
        """View a row as what it has of each parameter."""
        return [row.as_strided(sizes, strides, begin) for sizes, strides, begin in self.views]
