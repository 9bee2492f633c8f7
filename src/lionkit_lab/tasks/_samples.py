"""What a task draws its batches from."""

from typing import Protocol

from torch import Tensor

Batch = tuple[Tensor, ...]
"""Tensors with one row a sample."""


class Samples(Protocol):
    """A training or a test set."""

    def __len__(self) -> int:
        """Return the number of samples."""
        ...

    def batch(self, indices: Tensor, epoch: int | None = None) -> Batch:
        """Return the samples of ``indices``, (b,), int64, each in [0, n).

        Args:
            indices: Which.
            epoch: The training epoch, at least 0, where a sample is drawn anew in each of them; None for a logging
                epoch and a test, which see the same samples every time.
        """
        ...
