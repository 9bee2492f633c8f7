"""A convex loss whose solution in the box is not its least value."""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor

from lionkit_lab.verify._known_problem import SMOOTHNESS, KnownProblem

_DENSE = 256  # up to here one product with a dense matrix is faster than two with its factors


@final
class Quadratic(KnownProblem):
    """Half a rotated quadratic form, with a slope that holds a quarter of the weights of its solution at the box.

    Its eigenvalues span a factor of 50. The rotation is a Kronecker product of two random ones: it mixes all
    coordinates, and costs d^1.5.
    """

    name, title, convex = "quadratic", "rotated quadratic", True

    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        rows = 2 ** (int(math.log2(dim)) // 2)
        self._left, self._right = self._rotation(rows), self._rotation(dim // rows)
        # The middles of d parts of a logarithmic scale, so that their mean is the same for every d; and L itself.
        values = SMOOTHNESS * 50 ** -((torch.arange(dim, dtype=torch.float64) + 0.5) / dim)
        values[0] = SMOOTHNESS
        self._values = values[torch.randperm(dim, generator=self.generator)].view(rows, dim // rows)
        self._dense = self._map(torch.eye(dim, dtype=torch.float64), self._values) if dim <= _DENSE else None
        held = torch.arange(dim) % 4 == 0
        self.solution = self.radius * torch.where(held, self.uniform(dim).sign(), 0.8 * self.uniform(dim))
        self.slope = torch.where(held, -0.3 / math.sqrt(dim) * self.solution.sign(), 0.0)
        inverse = self._map(self.slope[None], 1 / self._values)[0]
        self.lowest = -torch.dot(self.slope, inverse).item() / 2
        self.start = self.between(self.solution, self.radius * self.uniform(dim).sign())

    def __call__(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Return loss and gradient."""
        offset = theta - self.solution
        image = offset @ self._dense if self._dense is not None else self._map(offset, self._values)
        return torch.linalg.vecdot(offset, image / 2 + self.slope), image + self.slope

    def _rotation(self, size: int) -> Tensor:
        return torch.linalg.qr(self.normal(size, size)).Q

    def _map(self, vectors: Tensor, values: Tensor) -> Tensor:
        blocks = vectors.view(-1, *values.shape)
        inner = self._left.T @ blocks @ self._right
        return (self._left @ (inner * values) @ self._right.T).reshape(vectors.shape)
