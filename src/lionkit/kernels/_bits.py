"""What processes that vote send each other: signs as bits, sums of votes, digits several to a byte."""

from __future__ import annotations

import torch
from torch import Tensor

from lionkit.kernels import _bits_reference as reference
from lionkit.kernels import _native


def pack_signs(x: Tensor, num_bytes: int) -> tuple[Tensor, Tensor]:
    """Pack signs, 1 bit each, and beside them whether there is one, 1 bit each.

    Args:
        x: Floating point, (numel,), contiguous.
        num_bytes: Of either plane, at least ``numel / 8``; what is beyond the coordinates is 0.

    Returns:
        Two planes, uint8, (2, num_bytes), the first coordinate in the lowest bit of the first byte. One says whether
        it is above 0, the other whether it is not 0; (1, 0) is nan. And how many coordinates are 0 and how many nan,
        int64, (2,). Where both are 0 the first plane says all.

    Example:
        >>> import torch
        >>> from lionkit.kernels import pack_signs
        >>> pack_signs(torch.tensor([1.0, -2.0, 0.0, 3.0]), num_bytes=1)
        (tensor([[ 9],
            [11]], dtype=torch.uint8), tensor([1, 0]))
    """
    return (torch.ops.lionkit.pack_signs if _serves(x) else reference.pack_signs)(x, num_bytes)


def tally_signs(signs: Tensor, nonzeros: Tensor | None) -> Tensor:
    """Sum up the votes of several workers.

    Args:
        signs: The first planes of `pack_signs`, one a row: uint8, (workers, num_bytes), contiguous; fewer than 32767.
        nonzeros: The second planes; None: nobody has voted 0.

    Returns:
        int16, (8 * num_bytes,): +1 or -1 for every worker that has voted; `NAN_VOTE` where one is nan. Beyond the
        coordinates it means nothing.

    Example:
        >>> import torch
        >>> from lionkit.kernels import tally_signs
        >>> tally_signs(torch.tensor([[0b11], [0b01]], dtype=torch.uint8), None)[:3]
        tensor([ 2,  0, -2], dtype=torch.int16)
    """
    return (torch.ops.lionkit.tally_signs if _serves(signs) else reference.tally_signs)(signs, nonzeros)


def pack_digits(digits: Tensor, base: int) -> Tensor:
    """Pack digits, as many to a byte as go: 8 of base 2, 5 of base 3, 4 of base 4, 3 up to 6, 2 up to 16.

    Args:
        digits: int16, (numel,), in [0, base).
        base: In [2, 256].

    Returns:
        uint8, one for every `digits_per_byte`, the first digit the least significant.

    Example:
        >>> import torch
        >>> from lionkit.kernels import pack_digits
        >>> pack_digits(torch.tensor([1, 2, 0, 0, 0, 2], dtype=torch.int16), base=3)
        tensor([7, 2], dtype=torch.uint8)
    """
    return (torch.ops.lionkit.pack_digits if _serves(digits) else reference.pack_digits)(digits, base)


def unpack_digits(codes: Tensor, table: Tensor, per_row: int, numel: int) -> Tensor:
    """Undo `pack_digits` of several rows, and look every digit up.

    Args:
        codes: uint8, (rows, bytes), contiguous.
        table: What each digit stands for, (base,), of 2, 4 or 8 bytes each.
        per_row: How many digits were packed into a row.
        numel: How many of all digits to return, at most ``rows * per_row``.

    Returns:
        (numel,), of the dtype of the table.

    Example:
        >>> import torch
        >>> from lionkit.kernels import unpack_digits
        >>> table = torch.tensor([-1.0, 0.0, 1.0])
        >>> unpack_digits(torch.tensor([[7, 2]], dtype=torch.uint8), table, per_row=6, numel=6)
        tensor([ 0.,  1., -1., -1., -1.,  1.])
    """
    unpack = torch.ops.lionkit.unpack_digits if _serves(codes) else reference.unpack_digits
    return unpack(codes, table, per_row, numel)


def _serves(tensor: Tensor) -> bool:
    return not _native.MISSING and tensor.is_cpu
