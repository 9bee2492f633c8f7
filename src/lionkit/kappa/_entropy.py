"""kappa = the logarithm of a hyperbolic cosine: tanh for a sign."""

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
class Entropy(SmoothedSign):
    r"""The function :math:`\kappa(x) = e \sum_i \ln\cosh(x_i / e)`: its conjugate is an entropy, its map a tanh.

    .. math:: \nabla\kappa(x)_i = \tanh(x_i / e)

    A smooth sign, linear around 0 and within 1% of it from 2.7 e on. ``lr`` has the unit of the weights; at a
    coordinate that is not finite the map is nan. With :math:`e = 1/\beta` it is the "smooth" Lion of optax.

    Args:
        e: The width of the transition, above 0, in the unit of the gradient.

    Raises:
        ValueError: ``e`` is out of its range.

    >>> import torch
    >>> from lionkit.kappa import Entropy
    >>> Entropy(1.0).gradient(torch.tensor([-3.0, 0.0, 0.5]))
    tensor([-0.9951,  0.0000,  0.4621])

    References:
        arXiv 2310.05898, the problem (2), with this kappa put in.
    """

    kernel = "entropy"

    def value(self, x: Tensor) -> Tensor:
        """Return e times the sum of ln cosh(x / e), by a form for small x and one for large."""
        size = x.abs() / self.e
        near = torch.log1p(2 * (size.clamp(max=1) / 2).sinh().square())
        far = size + torch.log1p((-2 * size).exp()) - math.log(2)
        return self.e * torch.where(size < 1, near, far).sum()

    def gradient(self, x: Tensor) -> Tensor:
        """Return tanh(x / e)."""
        return torch.add((x / self.e).tanh(), x, alpha=0)

    def _penalty(self, y: Tensor) -> Tensor:
        """Return e/2 ((1 + y) ln(1 + y) + (1 - y) ln(1 - y)), the smaller half as it loses no digits."""
        near = torch.log1p(-y.square()) + 2 * y * y.atanh()
        far = torch.xlogy(1 + y, 1 + y) + torch.xlogy(1 - y, 1 - y)
        return self.e / 2 * torch.where(y.abs() < 0.5, near, far)

    @property
    def problem(self) -> InducedProblem:
        """Minimise f with an entropy that is steep at the walls of a box."""
        penalty = rf"\frac{{{self.e:g}}}{{2\lambda}} \sum_i h(\lambda x_i), \; h(y) = (1+y)\ln(1+y) + (1-y)\ln(1-y)"
        return InducedProblem(
            words=f"minimise f minus {self.e:g} / weight_decay times the entropy of coins that show 1 or -1 with "
            "mean weight_decay x, which keeps every weight strictly smaller than 1 / weight_decay",
            latex=rf"\min_x f(x) + {penalty} \quad \text{{s.t.}} \quad {CONSTRAINT}",
            constraint=CONSTRAINT,
        )

    def foreach_gradient(self, xs: list[Tensor]) -> list[Tensor]:
        """Return tanh(x / e) of every tensor of a list."""
        return list(torch._foreach_add(torch._foreach_tanh(torch._foreach_div(xs, self.e)), xs, alpha=0))
