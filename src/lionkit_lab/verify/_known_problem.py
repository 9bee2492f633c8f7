"""Losses whose smoothness, gap and least value are known in closed form, over a batch of weight vectors.

Weights have the size 1 / sqrt(d), so that L, the gap and sigma are the same for every d, as the theorem's rate in d has
them. The box has the half-width REACH / sqrt(d).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor

SMOOTHNESS, GAP, NOISE = 2.0, 1.5, 0.2
"""L, Delta and sigma of every problem. Corollary 3 then needs at least 75 steps."""
REACH = 4.0


class KnownProblem(ABC):
    """A loss with what is known of it.

    Attributes:
        name: As in a recipe.
        title: What it is, in words.
        convex: Whether it is.
        dim: d.
        weight_decay: Of the box that the run is held to.
        start: Where runs start, [d], inside of the box; the loss there is ``GAP`` above its least value in the box.
        lowest: How far the least value anywhere is above that in the box; at most 0.
    """

    name: str
    title: str
    convex: bool
    lowest: float = 0.0
    start: Tensor

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self.radius = REACH / math.sqrt(dim)
        self.weight_decay = 1 / self.radius
        self.generator = torch.Generator().manual_seed(dim)

    @abstractmethod
    def __call__(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss less its least value in the box, [rows], and its gradient, [rows, d]."""

    def uniform(self, *shape: int) -> Tensor:
        """Draw from -1 to 1."""
        return 2 * torch.rand(*shape, generator=self.generator, dtype=torch.float64) - 1

    def normal(self, *shape: int) -> Tensor:
        """Draw standard normal numbers."""
        return torch.randn(*shape, generator=self.generator, dtype=torch.float64)

    def between(self, low: Tensor, high: Tensor) -> Tensor:
        """Return the point from low (loss 0) to high (loss above the gap) where the loss is the gap."""
        a, b = 0.0, 1.0
        for _ in range(60):
            middle = (a + b) / 2
            loss = self((low + middle * (high - low))[None])[0].item()
            a, b = (middle, b) if loss < GAP else (a, middle)
        return low + a * (high - low)
