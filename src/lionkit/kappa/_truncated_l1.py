"""kappa = the l1 norm of what exceeds a threshold: sparse weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lionkit.kappa._base import InducedProblem
from lionkit.kappa._box import CONSTRAINT, Box


@final
@dataclass(frozen=True)
class TruncatedL1(Box):
    r"""The l1 norm of what exceeds e, :math:`\kappa(x) = \sum_i \max(|x_i| - e, 0)`: a sign with a dead zone.

    .. math:: \nabla\kappa(x)_i = \operatorname{sign}(x_i)\,[|x_i| > e]

    A weight whose momentum is at most e in size only decays, so that it tends to 0 unless its gradient pulls
    harder: an l1 penalty e on the weights. ``lr`` has the unit of the weights. At e itself the map is 0; at a
    coordinate that is not finite, nan.

    Args:
        e: The threshold, at least 0, in the unit of the gradient; 0 is `L1`.

    Raises:
        ValueError: ``e`` is out of its range.

    >>> import torch
    >>> from lionkit.kappa import TruncatedL1
    >>> TruncatedL1(1.0).gradient(torch.tensor([-3.0, 0.0, 0.5]))
    tensor([-1.,  0.,  0.])

    References:
        arXiv 2310.05898, the table of kappas; derived here anew, its row not compared with the text.
    """

    e: float
    kernel = "truncated_l1"

    def __post_init__(self) -> None:
        if not 0 <= self.e < math.inf:
            raise ValueError(f"Invalid e: {self.e}, it must be finite and at least 0")
        object.__setattr__(self, "e", float(self.e))

    @property
    def kernel_parameter(self) -> float:
        """The parameter, e."""
        return self.e

    def value(self, x: Tensor) -> Tensor:
        """Return the sum of what the absolute values have above e."""
        return (x.abs() - self.e).clamp(min=0).sum()

    def gradient(self, x: Tensor) -> Tensor:
        """Return the sign of every coordinate larger than e in size, 0 elsewhere."""
        return torch.add(torch.where(x.abs() > self.e, x.sign(), 0), x, alpha=0)

    def _penalty(self, y: Tensor) -> Tensor:
        return self.e * y.abs()

    @property
    def problem(self) -> InducedProblem:
        """Minimise f with a lasso penalty over a box."""
        return InducedProblem(
            words=f"minimise f plus {self.e:g} times the l1 norm of the weights, over the box in which no weight is "
            "larger than 1 / weight_decay",
            latex=rf"\min_x f(x) + {self.e:g} \|x\|_1 \quad \text{{s.t.}} \quad {CONSTRAINT}",
            constraint=CONSTRAINT,
        )
