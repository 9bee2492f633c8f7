"""Losses whose smoothness, gap and least value are known in closed form, over a batch of weight vectors.

Weights have the size 1 / sqrt(d), so that L, the gap and sigma are the same for every d, as the theorem's rate in d has
them. The box has the half-width REACH / sqrt(d).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor

SMOOTHNESS, GAP, NOISE = 2.0, 1.5, 0.2
"""L, Delta and sigma of every problem. Corollary 3 then needs at least 75 steps."""
REACH = 4.0
_DENSE = 256  # up to here one product with a dense matrix is faster than two with its factors


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


@final
class Cosines(KnownProblem):
    """A sum of 1 - cos: not convex, starting up to 0.9 of the way to where its slope turns."""

    name, title, convex = "cosines", "sum of 1 - cos", False

    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self._center = self.uniform(dim) / math.sqrt(dim)
        angle = 0.9 * math.pi * self.uniform(dim)
        # f = (L / w^2) sum (1 - cos(w x)), with w such that it is the gap at the start.
        self._frequency = math.sqrt(SMOOTHNESS * (1 - angle.cos()).sum().item() / GAP)
        self.start = self._center + angle / self._frequency
        assert self.start.abs().max() <= self.radius

    def __call__(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Return loss and gradient."""
        angle = self._frequency * (theta - self._center)
        height = SMOOTHNESS / self._frequency**2
        return height * (1 - angle.cos()).sum(-1), (height * self._frequency) * angle.sin()


@final
class Logistic(KnownProblem):
    """Logistic regression on 64 samples with the penalty x^2 / (1 + x^2), which is not convex.

    The labels are the probabilities that the solution gives, so that the cross-entropy and the penalty, centred
    there, are both least at the solution.
    """

    name, title, convex = "logistic", "logistic regression, non-convex penalty", False

    def __init__(self, dim: int, num_samples: int = 64) -> None:
        super().__init__(dim)
        # Orthogonal columns (or rows, where there are more): no direction of the data is flatter than another.
        q = torch.linalg.qr(self.normal(max(num_samples, dim), min(num_samples, dim))).Q
        # The Hessian is largest where every probability is 1/2: |A|_2^2 / (4 n), and the penalty's is 2 rho at most.
        scale = math.sqrt(4 * num_samples * 0.6 * SMOOTHNESS)
        self._features = scale * (q if num_samples >= dim else q.T.contiguous())
        self._weight, self._sharpness = 0.2 * SMOOTHNESS, dim
        self.solution = 0.25 * self.radius * self.uniform(dim)
        self._labels = torch.sigmoid(self._features @ self.solution)
        self._entropy = torch.special.entr(self._labels) + torch.special.entr(1 - self._labels)
        direction = self._features.T @ self.normal(num_samples)
        self.start = self.between(self.solution, self.radius * direction.sign())

    def __call__(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Return loss and gradient."""
        logits = theta @ self._features.T
        cross = torch.nn.functional.softplus(logits) - self._labels * logits - self._entropy
        offset = theta - self.solution
        below = 1 + self._sharpness * offset.square()
        loss = cross.mean(-1) + self._weight * (offset.square() / below).sum(-1)
        gradient = (torch.sigmoid(logits) - self._labels) @ self._features / len(self._features)
        return loss, gradient + 2 * self._weight * offset / below.square()


@final
class Corners(KnownProblem):
    """A sum of absolute values: no constant bounds how fast its gradient changes. Outside of Assumption 1."""

    name, title, convex = "corners", "sum of absolute values", True

    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self._center = 0.5 * self.radius * self.uniform(dim)
        self.start = self.between(self._center, self.radius * self.uniform(dim).sign())

    def __call__(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Return loss and a subgradient."""
        offset, slope = theta - self._center, 1 / math.sqrt(self.dim)
        return slope * offset.abs().sum(-1), slope * offset.sign()


PROBLEMS: dict[str, type[KnownProblem]] = {it.name: it for it in (Quadratic, Cosines, Logistic, Corners)}
WITHIN = ("quadratic", "cosines", "logistic")
"""Those that keep the assumptions."""
