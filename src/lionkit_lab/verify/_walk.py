"""Single runs outside of the theory: any settings, any direction."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from lionkit import kernels
from lionkit.kappa import L1, Kappa
from lionkit.theory import Settings
from lionkit_lab.verify._known_problem import KnownProblem


@dataclass(frozen=True)
class WholeTensorGate:
    """CLion's direction with one gate for the tensor: the sign where no non-zero entry is below nu, else the identity.

    It is not monotone: at (nu, nu) it is (1, 1), and at (nu, nu / 2) it is that point itself, so that in the first
    coordinate it falls where nothing has changed. No kappa has it for a gradient.

    References:
        Huang, Zhang, Chen, arXiv 2604.14587, Algorithm 2, read in a secondary source.
    """

    nu: float

    def gradient(self, x: Tensor) -> Tensor:
        """Return the direction."""
        return x if bool(((x.abs() < self.nu) & (x != 0)).any()) else x.sign()


def gradient_of(problem: KnownProblem) -> Callable[[Tensor], Tensor]:
    return lambda theta: problem(theta[None])[1][0]


def walk(
    gradient: Callable[[Tensor], Tensor],
    start: Tensor,
    settings: Settings | dict[str, Any],
    steps: int,
    kappa: Kappa | WholeTensorGate = L1(),  # noqa: B008  (frozen)
    noise: float = 0.0,
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Step a run with m_0 = 0, and yield before each step the weights, the full gradient and the direction c."""
    values = settings if isinstance(settings, dict) else vars(settings)
    theta, momentum = start.clone(), torch.zeros_like(start)
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        full = gradient(theta)
        g = full + noise / math.sqrt(len(start)) * torch.randn(len(start), generator=generator, dtype=torch.float64)
        yield theta.clone(), full, torch.lerp(momentum, g, 1 - values["betas"][0])
        kernels.reference([theta], [g], [momentum], kappa=cast(Any, kappa), **values, maximize=False)
