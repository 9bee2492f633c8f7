"""Signs as bits, votes as their sums, and digits several to a byte: as they are defined, in torch's own operators."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from lionkit.kernels._schema import digits_per_byte

NAN_VOTE: Final = -(2**15)
"""The sum of votes of which one is not a number."""


def pack_signs(x: Tensor, num_bytes: int) -> tuple[Tensor, Tensor]:
    """Compare with 0 and pack: see `lionkit.kernels.pack_signs`."""
    nan = x.isnan()
    planes = torch.stack([_bytes((x > 0) | nan, num_bytes), _bytes((x != 0) & ~nan, num_bytes)])
    return planes, torch.stack([(x == 0).sum(), nan.sum()])


def tally_signs(signs: Tensor, nonzeros: Tensor | None) -> Tensor:
    """Sum up over the rows: see `lionkit.kernels.tally_signs`."""
    above = _bits(signs)
    if nonzeros is None:
        return (2 * above - 1).sum(0).to(torch.int16)
    cast = _bits(nonzeros)
    votes = (cast * (2 * above - 1)).sum(0)
    return votes.masked_fill((above > cast).any(0), NAN_VOTE).to(torch.int16)


def pack_digits(digits: Tensor, base: int) -> Tensor:
    """Weigh by powers of the base: see `lionkit.kernels.pack_digits`."""
    powers = _powers(base, digits.device)
    filled = functional.pad(digits.to(torch.int64), (0, -digits.numel() % len(powers)))
    return (filled.view(-1, len(powers)) * powers).sum(1).to(torch.uint8)


def unpack_digits(codes: Tensor, table: Tensor, per_row: int, numel: int) -> Tensor:
    """Look every digit up: see `lionkit.kernels.unpack_digits`."""
    digits = codes.to(torch.int64).unsqueeze(2) // _powers(len(table), codes.device) % len(table)
    return table[digits.flatten(1)[:, :per_row].flatten()[:numel]]


def _powers(base: int, device: torch.device) -> Tensor:
    return torch.tensor([base**place for place in range(digits_per_byte(base))], device=device)


def _bytes(flags: Tensor, num_bytes: int) -> Tensor:
    """Pack flags eight to a byte, the first in the lowest bit, and fill up with zeros."""
    filled = functional.pad(flags.to(torch.int64), (0, 8 * num_bytes - flags.numel()))
    return (filled.view(-1, 8) << torch.arange(8, device=flags.device)).sum(1).to(torch.uint8)


def _bits(rows: Tensor) -> Tensor:
    """Undo `_bytes` row by row: int64 of shape [rows, 8 * bytes]."""
    return (rows.to(torch.int64).unsqueeze(2) >> torch.arange(8, device=rows.device) & 1).flatten(1)
