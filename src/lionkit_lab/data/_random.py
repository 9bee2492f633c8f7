"""Random numbers that depend on the seed, the epoch and the sample alone: a resumed run draws them again."""

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator

Purpose = Literal["crop", "mask"]
"""What the numbers are for: two purposes of one sample draw from different streams."""


def generator(purpose: Purpose, seed: int, epoch: int, index: int) -> "Generator":
    """Return the generator of one sample in one epoch.

    It is Philox, keyed by purpose, seed and epoch, with the sample's index as the upper half of its counter: neither
    the batch that a sample is in nor the order in which samples are drawn changes its numbers.

    Args:
        purpose: What they are for.
        seed: The run's seed, at least 0.
        epoch: Number of the epoch, at least 0.
        index: Number of the sample in the set, in [0, 2**64).

    References:
        Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
    """
    from numpy.random import Generator, Philox

    return Generator(Philox(key=_key(purpose, seed, epoch), counter=[0, 0, index, 0]))


@lru_cache(maxsize=16)
def _key(purpose: Purpose, seed: int, epoch: int) -> "np.ndarray":
    import numpy as np

    # The seed last: SeedSequence cuts a big one into several words, and the others must keep their places.
    entropy = [get_args(Purpose).index(purpose), epoch, seed]
    return np.random.SeedSequence(entropy).generate_state(2, np.uint64)
