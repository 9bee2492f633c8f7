"""The gate of CLion: the sign where every coordinate is large, the momentum itself elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor

from lionkit.kernels import Geometry
from lionkit.optim._direction import Direction, Sight, smallest_of


@final
@dataclass(frozen=True)
class Gate(Direction):
    r"""Take the kappa's direction where no coordinate of c is smaller than nu but those that are 0, else c itself.

    .. math:: h(c) = \begin{cases} \nabla\kappa(c) & \min_{j: c_j \ne 0} |c_j| \ge \nu \\ c & \text{otherwise}
        \end{cases}

    It is not monotone, and so the gradient map of no kappa: what a kappa promises of the box is not kept while the
    gate is shut and :math:`|c_j| > 1`.

    Args:
        nu: Where the gate opens, above 0, in the unit of the gradient.
        over: "tensor": each parameter has a gate of its own; "model": one gate for all of the optimizer's.

    Raises:
        ValueError: ``nu`` or ``over`` is out of its range.

    References:
        Huang, Zhang, Chen, "CLion: Efficient Cautious Lion Optimizer with Enhanced Generalization",
        arXiv 2604.14587, Algorithm 2, read in a secondary source.
    """

    nu: float
    over: Literal["tensor", "model"] = "tensor"

    def __post_init__(self) -> None:
        if not 0 < self.nu < math.inf:
            raise ValueError(f"Invalid nu: {self.nu}, it must be finite and above 0; with nu = 0 it is Lion")
        if self.over not in ("tensor", "model"):
            raise ValueError(f"Invalid over: {self.over!r}, it must be 'tensor' or 'model'")
        object.__setattr__(self, "nu", float(self.nu))

    @property
    def asks_for_smallest(self) -> bool:
        """Whether there is one gate for all."""
        return self.over == "model"

    def of(self, c: Tensor, kappa: Geometry, sight: Sight) -> Tensor:
        """Return one or the other; a nan shuts the gate and is handed on."""
        smallest = smallest_of([c]) if sight.smallest is None else sight.smallest.to(c.device)
        return torch.where(smallest >= self.nu, kappa.gradient(c), c)
