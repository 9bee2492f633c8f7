"""kappa = Huber's function: a sign with a linear part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lionkit.kappa._base import InducedProblem
from lionkit.kappa._box import CONSTRAINT, SmoothedSign


@final
@dataclass(frozen=True)
class Huber(SmoothedSign):
    r"""Huber's function, quadratic up to e and linear beyond; the map is a clipped division.

    .. math:: \nabla\kappa(x)_i = \operatorname{clip}(x_i / e, -1, 1)

    Like `L1` where gradients are larger than e, and like gradient descent with learning rate lr / e where they
    are smaller, so that weights come to rest instead of going to and fro by ``lr``, which has the unit of the
    weights. At a coordinate that is not finite the map is nan. With e = 1 it is the "refined" Lion of optax.

    Args:
        e: Up to where the map is linear, above 0, in the unit of the gradient.

    Raises:
        ValueError: ``e`` is out of its range.

    >>> import torch
    >>> from lionkit.kappa import Huber
    >>> Huber(1.0).gradient(torch.tensor([-3.0, 0.0, 0.5]))
    tensor([-1.0000,  0.0000,  0.5000])

    References:
        arXiv 2310.05898, the table of kappas; derived here anew, its row not compared with the text.
        Huber, "Robust Estimation of a Location Parameter", 1964.
    """

    kernel = "huber"

    def value(self, x: Tensor) -> Tensor:
        """Return the sum of x^2 / 2e up to e and of abs(x) - e / 2 beyond."""
        size = x.abs()
        linear = size.clamp(max=self.e)
        return (linear / self.e * (size - linear / 2)).sum()

    def gradient(self, x: Tensor) -> Tensor:
        """Divide by e and clip to [-1, 1]."""
        return torch.add((x / self.e).clamp(-1, 1), x, alpha=0)

    def _penalty(self, y: Tensor) -> Tensor:
        return self.e / 2 * y.square()

    @property
    def problem(self) -> InducedProblem:
        """Minimise f with a ridge penalty over a box."""
        return InducedProblem(
            words=f"minimise f plus {self.e:g} weight_decay / 2 times the squared l2 norm of the weights, over the box "
            "in which no weight is larger than 1 / weight_decay",
            latex=rf"\min_x f(x) + \frac{{{self.e:g} \lambda}}{{2}} \|x\|_2^2 \quad \text{{s.t.}} \quad {CONSTRAINT}",
            constraint=CONSTRAINT,
        )

    def foreach_gradient(self, xs: list[Tensor]) -> list[Tensor]:
        """Divide every tensor of a list by e and clip it."""
        clipped = torch._foreach_clamp_min(torch._foreach_clamp_max(torch._foreach_div(xs, self.e), 1), -1)
        return list(torch._foreach_add(clipped, xs, alpha=0))
