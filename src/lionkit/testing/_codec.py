"""The contract of a codec of momenta."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from lionkit.testing._checks import Report, generator, run
from lionkit.testing._codec_laws import LAWS, Codec, bounded_error

_SIZES = (0, 1, 127, 128, 129, 1000)


def check_codec(codec: Codec, *, error: float, seed: int = 0) -> Report:
    """Check that a codec of momenta keeps what a Lion lives by.

    Signs are kept and nothing becomes or leaves 0, with and without noise; the error of a coordinate is bounded by the
    largest of its block of 128; what was decoded has the same codes again; zeros are those that `zeros` makes; the
    momentum is read in row-major order whatever its strides; what is not finite shows, and breaks its block of 128
    alone.

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
    momenta = [_momentum(size, power, source) for size in _SIZES for power in (-20, 0, 10)]
    noises = [torch.randint(0, 2**32, x.shape, generator=source) for x in momenta]

    def everywhere(law: Callable[[Codec, Tensor, Tensor | None], None]) -> None:
        for x, words in zip(momenta, noises, strict=True):
            law(codec, x, None)
            law(codec, x, words)

    def bounded() -> None:
        for x in momenta:
            bounded_error(codec, x, error)

    checks = {law.__name__: partial(everywhere, law) for law in LAWS}
    return run(repr(codec), {**checks, bounded_error.__name__: bounded})


def _momentum(size: int, power: int, source: torch.Generator) -> Tensor:
    """Return numbers of one scale, a fifth of them 0."""
    return torch.randn(size, generator=source) * 10.0**power * (torch.rand(size, generator=source) > 0.2)
