"""kappa = the l-infinity norm: greedy coordinate descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lionkit.kappa._base import InducedProblem
from lionkit.kappa._norm import Norm, largest, p_norm


@final
@dataclass(frozen=True)
class LInf(Norm):
    r"""The l-infinity norm :math:`\kappa(x) = \max_i |x_i|` of a whole parameter: greedy coordinate descent.

    The coordinate of the largest momentum moves by ``lr``, which has the unit of the weights, and the
    others only decay. It makes weights sparse, as the lasso in its constrained form does, and takes many
    steps: at least one for every weight that is to move. Where several are the largest they
    share the step equally, the limit of `Lp` as p grows. The map is 0 at 0, and nan throughout where any
    coordinate is not finite.

    >>> import torch
    >>> from lionkit.kappa import LInf
    >>> LInf().gradient(torch.tensor([-3.0, 0.0, 0.5]))
    tensor([-1.,  0.,  0.])

    References:
        Nutini et al., "Coordinate Descent Converges Faster with the Gauss-Southwell Rule Than Random
        Selection", arXiv 1506.00552, the rule without the constraint.
    """

    def value(self, x: Tensor) -> Tensor:
        """Return the largest absolute value."""
        return largest(x)

    def gradient(self, x: Tensor) -> Tensor:
        """Return the sign of the largest coordinate in its place; equals share it."""
        size = x.abs()
        top = size == largest(x)
        return torch.add(x.sign() * top / top.sum(), largest(x), alpha=0)

    def gauge(self, y: Tensor) -> Tensor:
        """Return the l1 norm."""
        return p_norm(y, 1).sum()

    @property
    def problem(self) -> InducedProblem:
        """Minimise f over an l1 ball."""
        return InducedProblem(
            words="minimise f over the weights whose absolute values sum to at most 1 / weight_decay in each parameter",
            latex=r"\min_x f(x) \quad \text{s.t.} \quad \|x\|_1 \le 1/\lambda",
            constraint=r"\|x\|_1 \le 1/\lambda",
        )
