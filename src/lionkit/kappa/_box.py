"""What kappas share that sum one function over the coordinates, with slopes from -1 to 1: the box."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from lionkit.kappa._base import Kappa
from lionkit.kappa._norm import largest

CONSTRAINT = r"\|x\|_\infty \le 1/\lambda"


class Box(Kappa):
    r"""A sum over the coordinates of one even convex function whose slope never leaves [-1, 1].

    No coordinate moves by more than ``lr`` a step, which so has the unit of the weights, and
    :math:`\kappa^*` is infinite outside the unit box: with weight decay no weight ends up larger than 1 / weight_decay.
    """

    @abstractmethod
    def _penalty(self, y: Tensor) -> Tensor:
        """Return the conjugate of the function of one coordinate, for every coordinate inside the box."""

    def gauge(self, y: Tensor) -> Tensor:
        """Return the largest absolute value."""
        return largest(y)

    def conjugate(self, y: Tensor) -> Tensor:
        """Return the sum of the penalties of the coordinates inside the unit box, infinity outside."""
        return torch.where(self.gauge(y) <= 1, self._penalty(y).sum(), torch.inf)


@dataclass(frozen=True)
class SmoothedSign(Box):
    """A sign that is smoothed over a width e; the limit at 0 is `L1`."""

    e: float

    def __post_init__(self) -> None:
        if not 0 < self.e < math.inf:
            raise ValueError(f"Invalid e: {self.e}, it must be finite and above 0; the limit at 0 is L1()")
        object.__setattr__(self, "e", float(self.e))  # the `repr` in a `state_dict` is made of it

    @property
    def kernel_parameter(self) -> float:
        """The width, e."""
        return self.e
