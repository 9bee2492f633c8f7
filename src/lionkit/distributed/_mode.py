"""How the workers' directions become one: what each sends, and what is made of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from lionkit.kappa import HalfSquaredL2, Kappa
from lionkit.kernels import NAN_VOTE

Noise = Callable[[], Tensor]
"""Draws a word in [0, 2**32) for every coordinate of what is to be rounded, int64, in their order."""


@dataclass(frozen=True, slots=True)
class Cast:
    """What is known of the votes on a bucket by all workers, once each has seen what all sent.

    Attributes:
        workers: How many have voted, at least 1.
        zeros: Whether any has voted 0 anywhere.
        nans: Whether any vote is not a number.
    """

    workers: int
    zeros: bool = False
    nans: bool = False


class Mode(ABC):
    """A rule of agreement; members are frozen dataclasses, and their ``repr`` is what a `state_dict` keeps."""

    sends_values: ClassVar[bool] = False
    """Whether a worker sends numbers in the dtype of the gradients, and not the bits of signs."""

    def geometry(self, kappa: Kappa) -> Kappa:
        """Return the map of c that a worker starts from: the kappa's."""
        return kappa

    def vote(self, direction: Tensor, noise: Noise) -> Tensor:
        """Return the votes of one worker, of -1, 0 and 1 or nan, from what `geometry` made of its c."""
        return direction

    @abstractmethod
    def table(self, cast: Cast) -> list[float]:
        """Return what can be decided: the direction for every digit that `decide` may return."""

    @abstractmethod
    def decide(self, votes: Tensor, cast: Cast, noise: Noise) -> Tensor:
        """Return the decision on every coordinate as a digit, int16, from the sum of the votes, int16."""


class ModeOfValues(Mode):
    """A rule whose workers send c itself."""

    sends_values = True

    def geometry(self, kappa: Kappa) -> Kappa:
        """Return the identity."""
        return HalfSquaredL2()

    def decide(self, votes: Tensor, cast: Cast, noise: Noise) -> Tensor:
        """Raise: there are no votes."""
        raise NotImplementedError("values are decided by decide_values")

    @abstractmethod
    def decide_values(self, values: Tensor, kappa: Kappa) -> Tensor:
        """Return the decision as digits, int16, from every worker's values, (workers, numel)."""


def signs_table(cast: Cast, *, ties: bool) -> list[float]:
    """Return -1 and 1, with 0 between them where votes can be 0 or tied, and nan at the end where one can be."""
    table = [-1.0, 0.0, 1.0] if ties or cast.zeros or cast.nans else [-1.0, 1.0]
    return [*table, torch.nan] if cast.nans else table


def sign_digits(signs: Tensor, table: list[float], broken: Tensor | None = None) -> Tensor:
    """Return where signs of -1, 0 and 1 stand in such a table; nan where they are ``broken``."""
    digits = signs > 0 if len(table) == 2 else signs + 1
    return with_nans(digits.to(torch.int16), broken, table)


def with_nans(digits: Tensor, broken: Tensor | None, table: list[float]) -> Tensor:
    """Return the digits, the last one of the table where coordinates are broken and the table has a nan."""
    return digits if broken is None else digits.masked_fill(broken, len(table) - 1)


def broken_votes(votes: Tensor, cast: Cast) -> Tensor | None:
    """Return where a vote is not a number; None where none is."""
    return votes == NAN_VOTE if cast.nans else None
