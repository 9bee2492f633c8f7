"""Digits of any base as bytes, and back."""

from __future__ import annotations

import torch
from torch import Tensor

from lionkit.kernels import digits_per_byte, pack_digits, unpack_digits

_MOST_IN_A_BYTE = 256
_MESSAGE = 2**16  # bytes of signs to each: long against a network's latency, short against a bucket


def num_parts(numel: int, workers: int) -> int:
    """Return in how many parts workers vote on a bucket: some are worked on while others travel.

    Args:
        numel: Of the bucket.
        workers: At least 1.

    >>> [num_parts(numel, 2) for numel in (0, 2**20, 2**20 + 1, 2**21)]
    [1, 1, 1, 2]
    """
    return max(1, numel // (8 * _MESSAGE * workers))


def bits_a_digit(base: int) -> float:
    """Return how many bits a digit takes.

    Args:
        base: In [2, 32767].

    >>> [round(bits_a_digit(base), 2) for base in (2, 3, 5, 9, 257)]
    [1.0, 1.6, 2.67, 4.0, 16]
    """
    return 8 / digits_per_byte(base) if base <= _MOST_IN_A_BYTE else 16


def encode(digits: Tensor, base: int) -> Tensor:
    """Return the bytes of int16 digits: several to a byte, or two bytes each beyond base 256."""
    return pack_digits(digits, base) if base <= _MOST_IN_A_BYTE else digits.view(torch.uint8)


def decode(codes: Tensor, table: Tensor, per_row: int, numel: int) -> Tensor:
    """Return what the digits of several rows stand for, the first ``numel`` of all, in the dtype of the table."""
    if len(table) <= _MOST_IN_A_BYTE:
        return unpack_digits(codes, table, per_row, numel)
    return table[codes.view(torch.int16).flatten()[:numel].to(torch.int64)]
