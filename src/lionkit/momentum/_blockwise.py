"""A momentum as blockwise codes: a level and a sign for every coordinate, a unit for every block of them."""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, final

import torch
from torch import Tensor
from torch.nn import functional

from lionkit.momentum._nibbles import pack, unpack

BLOCK: Final = 128

_ONE = 0x3F800000  # the bits of 1.0
_FRACTION = 23  # how many mantissa bits a float32 has
_TINY = 0x0080  # of bfloat16's smallest normal number: its inverse is finite, and all that it scales is not zero
_NAN = 0x7FC0


@final
@dataclass(frozen=True)
class Blockwise:
    r"""Codes of 8 or 4 bits for a float32 momentum, and a unit for every 128 coordinates in row-major order.

    A code is a sign and a level :math:`\ell \in 0 \ldots L`. The magnitudes :math:`v_\ell` of the levels are
    those of a floating-point number of few mantissa bits, less 1: evenly spaced near 0, geometrically
    above, as in a mu-law. The bits of ``1.0f`` plus :math:`\ell 2^{23 - k}` *are* the float :math:`1 + v_\ell`,
    so neither direction needs a table or a logarithm, and decoding is exact:

    .. math::
        m_i = \pm v_{\ell_i} u, \qquad v_\ell = \operatorname{float}(\operatorname{bits}(1) + \ell\,2^{23-k}) - 1,
        \qquad u = \operatorname{roundup}_\mathrm{bfloat16}\Bigl(\max_{j \in \mathrm{block}} |m_j| / v_L\Bigr)

    A coordinate that is not 0 keeps its sign and never becomes 0: its level is at least 1. A 0 stays 0.
    A block with a nan or an infinity decodes to nan, all of it.

    Attributes:
        bits: Of a code, 8 or 4.
        mantissa_bits: The :math:`k` above, at least 0: more of them space the large levels closer and the small wider.
        rounding: "nearest", or "stochastic" by the noise that `encode` gets: to the level below or above, so
            that the decoded momentum is the encoded one on average (but for levels raised to 1).

    Example:
        >>> import torch
        >>> from lionkit.momentum import INT8
        >>> codes, scales = INT8.encode(torch.tensor([1.0, -0.5, 1e-9, 0.0]))
        >>> codes
        tensor([127, -97,   1,   0], dtype=torch.int8)

    References:
        Dettmers, Lewis, Shleifer, Zettlemoyer, "8-bit Optimizers via Block-wise Quantization",
        arXiv 2110.02861, for blocks and uneven levels. ITU-T G.711, for the mu-law in the bits of a float.
    """

    bits: Literal[4, 8]
    mantissa_bits: int
    rounding: Literal["nearest", "stochastic"]

    @property
    def num_levels(self) -> int:
        """The largest level, :math:`L`: 127 of 8 bits, 7 of 4."""
        return 2 ** (self.bits - 1) - 1

    @property
    def top(self) -> float:
        """The largest magnitude in units, :math:`v_L`."""
        octaves, steps = divmod(self.num_levels, 2**self.mantissa_bits)
        return 2.0**octaves * (1 + steps / 2**self.mantissa_bits) - 1

    @property
    def code_dtype(self) -> torch.dtype:
        """Of the codes: int8, one a coordinate, or uint8, two 4-bit codes a byte."""
        return torch.int8 if self.bits == 8 else torch.uint8

    def num_codes(self, numel: int) -> int:
        """Return how many elements the codes of ``numel`` coordinates have."""
        return -(-numel * self.bits // 8)

    @staticmethod
    def num_scales(numel: int) -> int:
        """Return how many blocks ``numel`` coordinates have; the last may be short."""
        return -(-numel // BLOCK)

    def zeros(self, numel: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the codes and scales of a momentum of zeros."""
        codes = torch.zeros(self.num_codes(numel), dtype=self.code_dtype, device=device)
        return codes, torch.zeros(self.num_scales(numel), dtype=torch.bfloat16, device=device)

    def encode(self, momentum: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the momentum's codes and scales.

        Args:
            momentum: float32, of any shape.
            noise: A word in [0, 2**32) for every coordinate in row-major order, (numel,), int64, for stochastic
                rounding: a large one rounds up. None rounds to nearest.

        Returns:
            Codes, (`num_codes`,), of `code_dtype`, and scales, (`num_scales`,), bfloat16: the units.

        Raises:
            TypeError: the momentum is not of float32.
        """
        if momentum.dtype is not torch.float32:
            raise TypeError(f"Invalid momentum: its dtype is {momentum.dtype}, it must be torch.float32")
        blocks = _in_blocks(momentum)
        scales = self._units(blocks)
        z = 1 + blocks.abs() * (1 / scales.float())[:, None]
        levels = (z.view(torch.int32) - _ONE + self._rounding(noise)) >> (_FRACTION - self.mantissa_bits)
        kept = (blocks != 0) & ~scales.isnan()[:, None]
        levels = torch.where(kept, levels.clamp(1, self.num_levels), 0)
        codes = torch.where(blocks < 0, -levels, levels).flatten()[: momentum.numel()]
        return (codes.to(torch.int8) if self.bits == 8 else pack(codes)), scales

    def decode(self, codes: Tensor, scales: Tensor, shape: Sequence[int]) -> Tensor:
        """Return the momentum, float32, contiguous and of the given shape.

        Args:
            codes: As `encode` returned them.
            scales: As `encode` returned them.
            shape: Of as many coordinates as were encoded.
        """
        numel = torch.Size(shape).numel()
        levels = _in_blocks(codes.to(torch.int32) if self.bits == 8 else unpack(codes, numel))
        z = ((levels.abs() << (_FRACTION - self.mantissa_bits)) + _ONE).view(torch.float32)
        magnitudes = (z - 1) * scales.float()[:, None]
        return torch.where(levels < 0, -magnitudes, magnitudes).flatten()[:numel].reshape(shape)

    def _units(self, blocks: Tensor) -> Tensor:
        """Return the least bfloat16 unit in which no coordinate of a block is above the top level."""
        largest = blocks.abs().amax(dim=1)
        bits = (((largest / self.top).view(torch.int32) + 0xFFFF) >> 16).clamp(_TINY, _most(self.top))
        bits = torch.where(largest.isfinite(), torch.where(largest == 0, 0, bits), _NAN)
        return bits.to(torch.int16).view(torch.bfloat16)

    def _rounding(self, noise: Tensor | None) -> Tensor | int:
        """Return what is added to the bits of z before they are cut to the level."""
        if noise is None or self.rounding == "nearest":
            return 1 << (_FRACTION - 1 - self.mantissa_bits)
        return _in_blocks((noise >> (32 - _FRACTION + self.mantissa_bits)).to(torch.int32))


@functools.cache
def _most(top: float) -> int:
    """Return the upper half of the bits of the largest unit: ``top`` times it is finite."""
    return struct.unpack("<I", struct.pack("<f", torch.finfo(torch.float32).max / top))[0] >> 16


def _in_blocks(tensor: Tensor) -> Tensor:
    """Return the coordinates in row-major order, (blocks, 128), the last block filled with zeros."""
    return functional.pad(tensor.flatten(), (0, -tensor.numel() % BLOCK)).view(-1, BLOCK)
