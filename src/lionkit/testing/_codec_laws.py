"""The laws of a codec of momenta: each takes one momentum, float32 of one dim, and raises where it does not hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import torch
from torch import Tensor

from lionkit.testing._checks import require, require_same

BLOCK: Final = 128


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


def signs_and_zeros(codec: Codec, x: Tensor, noise: Tensor | None) -> None:
    """Every sign is kept, nothing becomes or leaves 0, and nothing becomes infinite."""
    decoded = _roundtrip(codec, x, noise)
    differ = decoded.sign() != x.sign()
    require(not differ.any(), f"{int(differ.sum())} of {x.numel()} signs differ")
    require(decoded.isfinite().all(), "a finite momentum is decoded to one that is not")


def same_codes_again(codec: Codec, x: Tensor, _: Tensor | None) -> None:
    """Coding is a projection."""
    once = codec.encode(x)
    for ours, again in zip(once, codec.encode(codec.decode(*once, x.shape)), strict=True):
        require_same(ours, again, "the codes of what was decoded")


def zeros_are_zeros(codec: Codec, x: Tensor, noise: Tensor | None) -> None:
    """A first step finds the codes that a momentum of zeros has, of either sign."""
    for zero in (torch.zeros_like(x), -torch.zeros_like(x)):
        for ours, coded in zip(codec.zeros(x.numel(), x.device), codec.encode(zero, noise), strict=True):
            require_same(ours, coded, "the codes of zeros")


def row_major(codec: Codec, x: Tensor, _: Tensor | None) -> None:
    """The strides of a momentum are not its order, and its shape comes back."""
    shaped = x[: x.numel() // 6 * 6].view(2, -1, 3)
    flat = codec.encode(shaped.flatten())
    for strided in (shaped, shaped.transpose(0, 2).contiguous().transpose(0, 2)):
        for ours, theirs in zip(flat, codec.encode(strided), strict=True):
            require_same(ours, theirs, "the codes of a transposed momentum")
    require_same(
        codec.decode(*flat, shaped.shape),
        codec.decode(*flat, (shaped.numel(),)).view(shaped.shape),
        "a shaped momentum",
    )


def broken_blocks(codec: Codec, x: Tensor, noise: Tensor | None) -> None:
    """A nan or an infinity is not lost, and breaks no block but its own."""
    clean, blocks = _roundtrip(codec, x, noise), torch.arange(x.numel()) // BLOCK
    for place in {0, x.numel() // 2, x.numel() - 1} if x.numel() else ():
        for broken in (math.nan, math.inf, -math.inf):
            spoilt = x.clone()
            spoilt[place] = broken
            decoded, others = _roundtrip(codec, spoilt, noise), blocks != place // BLOCK
            require(not decoded[place].isfinite(), f"{broken} is decoded to {decoded[place].item()}")
            require_same(decoded[others], clean[others], "the other blocks of a broken one")


LAWS: Final[Sequence[Callable[[Codec, Tensor, Tensor | None], None]]] = (
    signs_and_zeros,
    same_codes_again,
    zeros_are_zeros,
    row_major,
    broken_blocks,
)


def bounded_error(codec: Codec, x: Tensor, error: float) -> None:
    """The error is relative to the largest of the block."""
    for block, decoded in zip(x.split(BLOCK), _roundtrip(codec, x).split(BLOCK), strict=True):
        worst = ((decoded - block).abs().amax() / block.abs().amax()).item() if block.any() else 0.0
        require(worst <= error, f"an error is {worst:.3g} of the largest in its block, above {error:.3g}")


def _roundtrip(codec: Codec, x: Tensor, noise: Tensor | None = None) -> Tensor:
    return codec.decode(*codec.encode(x, noise), x.shape)
