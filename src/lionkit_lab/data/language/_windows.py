"""Packed windows: a long sequence of tokens, cut every so many, for language models that predict the next one."""

import torch
from torch import Tensor

from lionkit_lab.data.language._shards import TokenShards
from lionkit_lab.errors import UsageError


class Windows:
    """Windows of ``length`` tokens and the one after them; no token is predicted twice.

    A window may begin in one document and end in another: the token between them says so.

    Args:
        shards: The tokens.
        length: Tokens that a model sees, at least 1.

    Raises:
        UsageError: There are not as many tokens.
    """

    def __init__(self, shards: TokenShards, length: int) -> None:
        self._shards, self.length = shards, length
        if not 1 <= length < len(shards):
            raise UsageError(f"window of {length} tokens is not allowed: must be in [1, {len(shards) - 1}]")

    def __len__(self) -> int:
        """Return the number of windows; the tokens after the last whole one are left out."""
        return (len(self._shards) - 1) // self.length

    def window(self, index: int) -> Tensor:
        """Return the window of an index in [0, n): (length + 1,), int64; its last token is the next window's first."""
        start = index * self.length
        return torch.from_numpy(self._shards.read(start, start + self.length + 1))

    def batch(self, indices: Tensor) -> Tensor:
        """Return windows, (b, length + 1), int64; of no indices, none."""
        rows = [self.window(index) for index in indices.tolist()]
        return torch.stack(rows) if rows else torch.empty(0, self.length + 1, dtype=torch.int64)
