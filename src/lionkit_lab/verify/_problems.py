"""Losses that are not convex, one whose gradient jumps, and the list of all."""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor

from lionkit_lab.verify._known_problem import GAP, SMOOTHNESS, KnownProblem
from lionkit_lab.verify._quadratic import Quadratic


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
