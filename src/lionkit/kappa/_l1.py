"""kappa = the l1 norm: Lion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lionkit.kappa._base import InducedProblem
from lionkit.kappa._box import CONSTRAINT, Box


@final
@dataclass(frozen=True)
class L1(Box):
    r"""The l1 norm :math:`\kappa(x) = \|x\|_1`, whose gradient map is the sign: Lion.

    Every coordinate moves by exactly ``lr`` a step, whatever the size of its gradient, so ``lr`` has the
    unit of the weights. At 0, where the subgradient is the interval [-1, 1], the map is 0: a coordinate
    that has never seen a gradient does not move. At nan and infinity it is nan: torch's own sign is 0 at nan,
    and a run with a broken gradient would go on with weights that stand still, its loss finite.

    >>> import torch
    >>> from lionkit.kappa import L1
    >>> L1().gradient(torch.tensor([-3.0, 0.0, 0.5]))
    tensor([-1.,  0.,  1.])

    References:
        Chen et al., "Symbolic Discovery of Optimization Algorithms", arXiv 2302.06675, Algorithm 2.
    """

    kernel = "sign"

    def value(self, x: Tensor) -> Tensor:
        """Return the sum of absolute values."""
        return x.abs().sum()

    def gradient(self, x: Tensor) -> Tensor:
        """Return the sign of every coordinate: 0 where it is 0, nan where it is not finite."""
        return torch.add(x.sign(), x, alpha=0)

    def _penalty(self, y: Tensor) -> Tensor:
        return torch.zeros_like(y)

    @property
    def problem(self) -> InducedProblem:
        """Minimise f over a box."""
        return InducedProblem(
            words="minimise f over the box in which no weight is larger than 1 / weight_decay",
            latex=rf"\min_x f(x) \quad \text{{s.t.}} \quad {CONSTRAINT}",
            constraint=CONSTRAINT,
        )

    def foreach_gradient(self, xs: list[Tensor]) -> list[Tensor]:
        """Return the sign of every tensor of a list."""
        return list(torch._foreach_add(torch._foreach_sign(xs), xs, alpha=0))
