"""The majority vote of Distributed Lion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor

from lionkit.distributed._mode import Cast, Mode, Noise, broken_votes, sign_digits, signs_table


@final
@dataclass(frozen=True)
class Vote(Mode):
    r"""Majority vote: each coordinate moves where most workers would move it.

    .. math:: \Delta = \operatorname{sign}\Bigl(\sum_{i=1}^N \delta_i\Bigr), \qquad \delta_i = \nabla\kappa(c_i)

    with the sign of the paper: a tie, which an even number of workers can have, is 0, and so is a coordinate that all
    leave alone. Use it where the network is slow: it sends least. A worker sends 1 bit a parameter, and 2 where any
    worker votes 0 in the same part of a bucket; what comes back is 1 bit for an odd number of workers and 1.6 (five
    digits of base 3 a byte) where there may be zeros or ties.

    Example:
        >>> import torch
        >>> from lionkit.distributed import Vote, decide
        >>> decide(Vote(), torch.tensor([[1.0, 1.0, -1.0], [1.0, -1.0, 0.0]]))
        tensor([ 1.,  0., -1.])

    References:
        Liu et al., "Communication Efficient Distributed Training with Distributed Lion", arXiv 2404.00438,
        Algorithm 1, Majority Vote.
    """

    def table(self, cast: Cast) -> list[float]:
        """Return the signs that can be."""
        return signs_table(cast, ties=cast.workers % 2 == 0)

    def decide(self, votes: Tensor, cast: Cast, noise: Noise) -> Tensor:
        """Return the sign of the sum."""
        return sign_digits(votes.sign(), self.table(cast), broken_votes(votes, cast))
