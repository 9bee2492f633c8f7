"""The noise of stochastic rounding: a function of seed, step and place, whatever the threads and resumes."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Stream = Literal["momentum", "weights"]

_MASK64 = 2**64 - 1
_MASK32 = 2**32 - 1
_GAMMA = 0x9E3779B97F4A7C15  # splitmix64's: without it the mixing function would leave seed 0 at 0


def step_key(seed: int, step: int) -> int:
    """Return the 64 bits of noise that all coordinates of one step of a group share.

    Args:
        seed: Any integer; it counts modulo 2^64.
        step: How many steps have used noise before, at least 0.

    Returns:
        The key in [-2^63, 2^63), as torch's operators take an integer.

    >>> step_key(seed=3, step=0) == step_key(seed=3, step=1)
    False

    References:
        Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014: the mixing function.
    """
    key = _mix64(_mix64(seed + _GAMMA) + step)
    return key - 2**64 if key >> 63 else key


def words(
    key: int,
    position: int,
    numel: int,
    device: torch.device | str = "cpu",
    *,
    stream: Stream,
    places: Tensor | None = None,
) -> Tensor:
    r"""Return one 32-bit word for each coordinate of a parameter.

    Word i is :math:`u + i a \bmod 2^{32}`, with a random number u and a random odd number a of the step, the
    parameter and the stream. So a coordinate's word is uniform and independent from step to step, which is what an
    unbiased rounding needs, and the leading bits of two words less than 2^16 places apart are independent. With
    the same a in every step some pairs would stay close for ever, and their rounding errors would add up together.

    Args:
        key: Of `step_key`.
        position: Index of the parameter in its step's list, in [0, 2^32).
        numel: How many coordinates the parameter has; they are counted in row-major order (for the
            weights of a dense parameter in another layout the native kernel counts in that of memory).
        device: Where the words are made; they are the same on each.
        stream: What is to be rounded by them.
        places: Of some coordinates in the parameter, int64, [numel]: theirs are returned. None: all, in order.

    Returns:
        An int64 tensor of shape [numel], its values in [0, 2^32).

    >>> words(step_key(3, 0), 0, 2, stream="weights").equal(words(step_key(3, 0), 0, 5, stream="weights")[:2])
    True

    References:
        Carter, Wegman, "Universal classes of hash functions", 1979: pairs of the words.
    """
    if places is not None:
        return _words_at(key, position, places, stream)
    parts = []
    for high in range(max(numel - 1, 0) // 2**32 + 1):  # a second part only beyond 2^32 coordinates
        low = torch.arange(min(numel - (high << 32), 2**32), device=device)
        parts.append(_mapped(low, key, position, high, stream))
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _words_at(key: int, position: int, places: Tensor, stream: Stream) -> Tensor:
    highs, found = places >> 32, torch.empty_like(places)
    for high in highs.unique().tolist():
        found = torch.where(highs == high, _mapped(places & _MASK32, key, position, high, stream), found)
    return found


def _mapped(low: Tensor, key: int, position: int, high: int, stream: Stream) -> Tensor:
    """Turn the low 32 bits of places into words, in place."""
    both = _mix64(key + _mix64(position << 32 | high))
    start, multiplier = (drawn & _MASK32 if stream == "momentum" else drawn >> 32 for drawn in (both, _mix64(both)))
    return low.mul_(multiplier | 1).add_(start).bitwise_and_(_MASK32)


def _mix64(z: int) -> int:
    z &= _MASK64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _MASK64
    z = (z ^ z >> 27) * 0x94D049BB133111EB & _MASK64
    return z ^ z >> 31
