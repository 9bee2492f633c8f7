"""Votes that are right on average."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, final, get_args

import torch
from torch import Tensor

from lionkit.distributed._mode import Cast, Mode, Noise, broken_votes, sign_digits, signs_table, with_nans
from lionkit.kappa import HalfSquaredL2, Kappa

Answer = Literal["sign", "unbiased"]


@final
@dataclass(frozen=True)
class UnbiasedVote(Mode):
    r"""Workers vote by chance, so that their votes have the mean :math:`c_i / G`; the answer is a sign, or by chance.

    .. math::
        \delta_i = Q_G(c_i) = \begin{cases} +1 & \text{with probability } (G + c_i) / 2G \\ -1 & \text{otherwise}
        \end{cases}, \qquad \Delta = Q\Bigl(\frac{1}{N} \sum_{i=1}^N \delta_i\Bigr)

    Use it where the workers' data differ much, so that a majority of signs may be wrong for all time; with a G far
    above the gradients it is noise. A worker sends 1 bit; the answer is that of a `Vote` with ``answer="sign"``, or
    :math:`Q = Q_1`, 1 bit, with "unbiased". The chance is a function of the seed, the step, the worker and the place.

    Args:
        bound: G, above 0, in the unit of the gradient; beyond it :math:`c_i` counts as G.
        answer: "sign" (Theorem 5) or "unbiased" (Theorem 6).

    Raises:
        ValueError: an argument is out of its range.

    References:
        Jiang, Zhang, "Convergence Analysis of the Lion Optimizer in Centralized and Distributed Settings",
        arXiv 2508.12327, Theorems 5 and 6, read in a reproduction.
    """

    bound: float
    answer: Answer = "sign"

    def __post_init__(self) -> None:
        if not 0 < self.bound < math.inf:
            raise ValueError(f"Invalid bound: {self.bound}, it must be finite and above 0")
        if self.answer not in get_args(Answer):
            raise ValueError(f"Invalid answer: {self.answer!r}, it must be 'sign' or 'unbiased'")
        object.__setattr__(self, "bound", float(self.bound))

    def geometry(self, kappa: Kappa) -> Kappa:
        """Return the identity: the votes are on c."""
        return HalfSquaredL2()

    def vote(self, direction: Tensor, noise: Noise) -> Tensor:
        """Return +1 where a number from 0 to 1 is below the probability; nan where c is none."""
        chance = (noise().to(torch.float64) + 0.5) / 2**32
        wins = 2 * chance - 1 < direction.to(torch.float64) / self.bound
        votes = torch.where(wins, 1.0, -1.0)
        return votes.masked_fill_(direction.isnan(), torch.nan).to(direction.dtype)

    def table(self, cast: Cast) -> list[float]:
        """Return the signs that can be."""
        if self.answer == "sign":
            return signs_table(cast, ties=cast.workers % 2 == 0)
        return [-1.0, 1.0, torch.nan] if cast.nans else [-1.0, 1.0]

    def decide(self, votes: Tensor, cast: Cast, noise: Noise) -> Tensor:
        """Return the sign of the sum, or one drawn with its mean."""
        table, broken = self.table(cast), broken_votes(votes, cast)
        if self.answer == "sign":
            return sign_digits(votes.sign(), table, broken)
        wins = noise() * (2 * cast.workers) < (votes.to(torch.int64) + cast.workers) << 32
        return with_nans(wins.to(torch.int16), broken, table)
