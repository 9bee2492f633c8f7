"""Two 4-bit codes a byte."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def pack(codes: Tensor) -> Tensor:
    """Pack codes in pairs: the even one in a byte's low half, the odd one in its high half, both two's complement.

    Args:
        codes: Integers in [-8, 7], (numel,), any signed dtype.

    Returns:
        uint8, (ceil(numel / 2),); the last high half is 0 where ``numel`` is odd.

    Example:
        >>> import torch
        >>> from lionkit.momentum._nibbles import pack
        >>> pack(torch.tensor([1, -1, 7]))
        tensor([241,   7], dtype=torch.uint8)
    """
    low, high = functional.pad(codes, (0, codes.numel() % 2)).unflatten(0, (-1, 2)).unbind(1)
    return ((low & 0xF) | ((high & 0xF) << 4)).to(torch.uint8)


def unpack(bytes_: Tensor, numel: int) -> Tensor:
    """Undo `pack`: return the first ``numel`` codes as int32."""
    halves = torch.stack([bytes_ & 0xF, bytes_ >> 4], dim=1).flatten()[:numel].to(torch.int32)
    return (halves ^ 8) - 8
