"""What a codec must keep of a momentum."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor

from lionkit.testing._checks import Report, generator, require, require_same, run

_SIZES = (0, 1, 127, 128, 129, 1000)


class Codec(Protocol):
    """As `lionkit.momentum.Blockwise` is one."""

    def zeros(self, numel: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the codes and scales of zeros."""
        ...

    def encode(self, momentum: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return codes and scales."""
        ...

    def decode(self, codes: Tensor, scales: Tensor, shape: Any) -> Tensor:
        """Return the momentum."""
        ...


def check_codec(codec: Codec, *, error: float, seed: int = 0) -> Report:
    """Check that a codec of momenta keeps what a Lion lives by.

    Signs are kept and nothing becomes or leaves 0; the error of a coordinate is bounded by the largest of its block of
    128; what was decoded has the same codes again; zeros are those that `zeros` makes; the momentum is read in
    row-major order whatever its strides; what is not finite shows, and breaks its block of 128 alone.

    Args:
        codec: Any.
        error: The bound, relative to the largest absolute value in the block, without noise.
        seed: Of the momenta.

    Returns:
        The names of the checks.

    Raises:
        AssertionError: with all that does not hold.

    Example:
        >>> from lionkit import momentum, testing
        >>> len(testing.check_codec(momentum.INT8, error=1 / 64).passed)
        6
    """
    source = generator(seed)
    momenta = [
        torch.randn(size, generator=source) * 10.0**power * (torch.rand(size, generator=source) > 0.2)
        for size in _SIZES
        for power in (-20, 0, 10)
    ]
    checks = signs_and_zeros, same_codes_again, zeros_are_zeros, row_major, broken_blocks
    bounded = partial(bounded_error, codec, momenta, error)
    return run(repr(codec), [*(partial(check, codec, momenta) for check in checks), bounded])


def signs_and_zeros(codec: Codec, momenta: list[Tensor]) -> None:
    """Every sign is kept."""
    for x in momenta:
        differ = _roundtrip(codec, x).sign() != x.sign()
        require(not differ.any(), f"{int(differ.sum())} of {x.numel()} signs differ")


def bounded_error(codec: Codec, momenta: list[Tensor], error: float) -> None:
    """The error is relative to the block."""
    for x in momenta:
        for block, decoded in zip(x.split(128), _roundtrip(codec, x).split(128), strict=True):
            worst = ((decoded - block).abs().amax() / block.abs().amax()).item() if block.any() else 0.0
            require(worst <= error, f"an error is {worst:.3g} of the largest in its block, above {error:.3g}")


def same_codes_again(codec: Codec, momenta: list[Tensor]) -> None:
    """Coding is a projection."""
    for x in momenta:
        once = codec.encode(x)
        for ours, again in zip(once, codec.encode(codec.decode(*once, x.shape)), strict=True):
            require_same(ours, again, "the codes of what was decoded")


def zeros_are_zeros(codec: Codec, momenta: list[Tensor]) -> None:
    """A first step finds the codes that a momentum of zeros has."""
    for x in momenta:
        for ours, coded in zip(codec.zeros(x.numel(), x.device), codec.encode(0 * x), strict=True):
            require_same(ours, coded, "the codes of zeros")


def row_major(codec: Codec, momenta: list[Tensor]) -> None:
    """The strides of a momentum are not its order."""
    x = momenta[-1][:996].view(12, 83)
    for straight, strided in zip(codec.encode(x.flatten()), codec.encode(x.t().contiguous().t()), strict=True):
        require_same(straight, strided, "the codes of a transposed momentum")


def broken_blocks(codec: Codec, momenta: list[Tensor]) -> None:
    """A nan or an infinity is not lost."""
    for broken in (math.nan, math.inf):
        x = momenta[-1].clone()
        x[300] = broken
        decoded, clean = _roundtrip(codec, x), _roundtrip(codec, momenta[-1])
        require(not decoded[300].isfinite(), f"{broken} is decoded to {decoded[300].item()}")
        others = (torch.arange(len(x)) // 128) != 300 // 128
        require_same(decoded[others], clean[others], "the other blocks of a broken one")


def _roundtrip(codec: Codec, x: Tensor) -> Tensor:
    return codec.decode(*codec.encode(x), x.shape)
