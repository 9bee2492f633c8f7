"""kappa = the integral of an arctangent: RLion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lionkit.kappa._base import InducedProblem
from lionkit.kappa._box import CONSTRAINT, SmoothedSign


@final
@dataclass(frozen=True)
class Arctan(SmoothedSign):
    r"""The integral of an arctangent, :math:`\frac2\pi \sum_i x_i \arctan(x_i/e) - \frac e2 \ln(1 + x_i^2/e^2)`: RLion.

    .. math:: \nabla\kappa(x)_i = \tfrac2\pi \arctan(x_i / e)

    A smooth sign, linear around 0 and slow to approach 1: within 1% of it from 64 e on. RLion's sharpness
    :math:`\alpha` is 1 / e. ``lr`` has the unit of the weights; at a coordinate that is not finite the map is nan.

    Args:
        e: The width of the transition, above 0, in the unit of the gradient: the map is a half at e.

    Raises:
        ValueError: ``e`` is out of its range.

    >>> import torch
    >>> from lionkit.kappa import Arctan
    >>> Arctan(0.5).gradient(torch.tensor([-3.0, 0.0, 0.5]))
    tensor([-0.8949,  0.0000,  0.5000])

    References:
        "A refined Lion optimizer for deep learning", Scientific Reports 15, 23082 (2025), the update rule. The value
        and the conjugate are ours.
    """

    kernel = "arctan"

    def value(self, x: Tensor) -> Tensor:
        """Return the integral of the map from 0, by a form of the logarithm for small x and one for large."""
        size = x.abs() / self.e
        logarithm = torch.where(size < 1, torch.log1p(size.square()) / 2, torch.hypot(size, size.new_ones(())).log())
        return 2 * self.e / math.pi * (size * size.atan() - logarithm).sum()

    def gradient(self, x: Tensor) -> Tensor:
        """Return 2 / pi times the arctangent of x / e."""
        return torch.add((x / self.e).atan() * (2 / math.pi), x, alpha=0)

    def _penalty(self, y: Tensor) -> Tensor:
        """Return -2 e / pi ln cos(pi y / 2), from the sine of the smaller of the angle and its complement."""
        near = torch.log1p(-(y * math.pi / 2).sin().square()) / 2
        far = ((1 - y.abs()) * math.pi / 2).sin().log()
        return -2 * self.e / math.pi * torch.where(y.abs() < 0.5, near, far)

    @property
    def problem(self) -> InducedProblem:
        """Minimise f with a barrier at the walls of a box."""
        penalty = rf"\frac{{2 \cdot {self.e:g}}}{{\pi\lambda}} \sum_i \ln\cos\frac{{\pi \lambda x_i}}{{2}}"
        return InducedProblem(
            words=f"minimise f minus {2 * self.e:g} / (pi weight_decay) times the sum of "
            "ln cos(pi weight_decay x / 2), a barrier that keeps every weight strictly smaller than 1 / weight_decay",
            latex=rf"\min_x f(x) - {penalty} \quad \text{{s.t.}} \quad {CONSTRAINT}",
            constraint=CONSTRAINT,
        )

    def foreach_gradient(self, xs: list[Tensor]) -> list[Tensor]:
        """Return 2 / pi times the arctangent of x / e, of every tensor of a list."""
        angles = torch._foreach_atan(torch._foreach_div(xs, self.e))
        return list(torch._foreach_add(torch._foreach_mul(angles, 2 / math.pi), xs, alpha=0))
