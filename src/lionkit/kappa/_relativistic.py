"""kappa = the energy of a relativistic particle: a sign rounded by a square root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lionkit.kappa._base import InducedProblem
from lionkit.kappa._box import CONSTRAINT, SmoothedSign


@final
@dataclass(frozen=True)
class Relativistic(SmoothedSign):
    r"""The kinetic energy of a relativistic particle, :math:`\kappa(x) = \sum_i \sqrt{x_i^2 + e^2} - e`.

    .. math:: \nabla\kappa(x)_i = x_i / \sqrt{x_i^2 + e^2}

    A smooth sign, linear around 0 and within 1% of it from 7.1 e on. The published function has no -e; without it here
    :math:`\kappa(0)` would not be 0, and nothing else changes. ``lr`` has the unit of the weights; at a coordinate
    that is not finite the map is nan.

    Args:
        e: The width of the transition, above 0, in the unit of the gradient.

    Raises:
        ValueError: ``e`` is out of its range.

    >>> import torch
    >>> from lionkit.kappa import Relativistic
    >>> Relativistic(4.0).gradient(torch.tensor([-3.0, 0.0, 3e30]))
    tensor([-0.6000,  0.0000,  1.0000])

    References:
        arXiv 2310.05898, the table of kappas; derived here anew, its row not compared with the text.
    """

    kernel = "relativistic"

    def value(self, x: Tensor) -> Tensor:
        """Return the sum of sqrt(x^2 + e^2) - e, written so that small x keep their digits."""
        energy = torch.hypot(x, x.new_full((), self.e))
        return (x / (energy + self.e) * x).sum()

    def gradient(self, x: Tensor) -> Tensor:
        """Return x / sqrt(x^2 + e^2); the square itself would overflow."""
        return x / torch.hypot(x, x.new_full((), self.e))

    def _penalty(self, y: Tensor) -> Tensor:
        return self.e * (y.square() / (1 + ((1 - y) * (1 + y)).sqrt()))

    @property
    def problem(self) -> InducedProblem:
        """Minimise f with a penalty that is steep at the walls of a box."""
        penalty = rf"\frac{{{self.e:g}}}{{\lambda}} \sum_i \left(1 - \sqrt{{1 - \lambda^2 x_i^2}}\right)"
        return InducedProblem(
            words=f"minimise f plus {self.e:g} / weight_decay times the sum of 1 - sqrt(1 - (weight_decay x)^2), which "
            "keeps every weight strictly smaller than 1 / weight_decay",
            latex=rf"\min_x f(x) + {penalty} \quad \text{{s.t.}} \quad {CONSTRAINT}",
            constraint=CONSTRAINT,
        )
