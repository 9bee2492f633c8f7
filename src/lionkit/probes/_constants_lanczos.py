"""The largest curvature and the remaining decrease, from products with the Hessian."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lionkit.probes._constants_estimate import Estimate


@dataclass(frozen=True)
class Krylov:
    """What k products with a symmetric matrix say of it.

    Attributes:
        tridiagonal: The matrix in the basis of the products, [k, k] in float64.
        complete: Whether the basis spans all that the start reaches, so that the eigenvalues are exact.
    """

    tridiagonal: Tensor
    complete: bool

    @property
    def num_products(self) -> int:
        """How many products there were."""
        return len(self.tridiagonal)


def lanczos(product: Callable[[Tensor], Tensor], start: Tensor, steps: int) -> Krylov:
    """Tridiagonalise a symmetric matrix by at most ``steps`` products, orthogonalised anew against all before.

    Args:
        product: The matrix times a vector of shape [d].
        start: A vector of shape [d] that is not 0.
        steps: At least 1.
    """
    basis = [start / torch.linalg.vector_norm(start)]
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(min(steps, len(start))):
        image = product(basis[-1])
        diagonal.append(torch.dot(image, basis[-1]).item())
        for _ in range(2):  # twice is enough
            for vector in basis:
                image = image - torch.dot(image, vector) * vector
        rest = torch.linalg.vector_norm(image).item()
        size = max(map(abs, diagonal + beside))
        if rest <= 100 * torch.finfo(start.dtype).eps * size or len(basis) == len(start):
            return Krylov(_tridiagonal(diagonal, beside), complete=True)
        beside.append(rest)
        basis.append(image / rest)
    return Krylov(_tridiagonal(diagonal, beside[:-1]), complete=False)


def spectral_norm(krylov: Krylov, dim: int, confidence: float) -> Estimate:
    r"""Estimate the largest absolute eigenvalue from a start drawn uniformly from the sphere.

    It is never below what was found. With k products the largest eigenvalue is missed by more than a share

    .. math:: \varepsilon = \left(\frac{\ln(1.648 \sqrt d / \delta)}{2k - 1}\right)^2

    of the spectrum's width with probability :math:`\delta` at most, and so is the least.

    References:
        Kuczynski, Wozniakowski, "Estimating the Largest Eigenvalue by the Power and Lanczos Algorithms with a Random
        Start", SIAM J. Matrix Anal. Appl. 13 (1992), Theorem 4.2.
    """
    found = torch.linalg.eigvalsh(krylov.tridiagonal)
    low, high = found[0].item(), found[-1].item()
    value = max(-low, high)
    missed = 0.0 if krylov.complete else missed_share(dim, krylov.num_products, confidence)
    if missed >= 0.5:
        return Estimate(value, value, math.inf, krylov.num_products)
    beyond = missed * (high - low) / (1 - 2 * missed)  # of the true width, which is at most that of both ends
    return Estimate(value, value, max(beyond - low, high + beyond), krylov.num_products)


def missed_share(dim: int, products: int, confidence: float) -> float:
    """Return the share of the spectrum's width that so many products may miss at each end."""
    return (_log_odds(dim, confidence) / (2 * products - 1)) ** 2


def products_for(dim: int, within: float, confidence: float) -> int:
    """Return how many products bound the largest eigenvalue to a share of the spectrum's width."""
    return min(dim, math.ceil((_log_odds(dim, confidence) / math.sqrt(within / (1 + 2 * within)) + 1) / 2))


def newton_decrement(krylov: Krylov, start: Tensor) -> float:
    r"""Return :math:`\frac12 g^\top H^{-1} g` for a basis that starts at g: what a quadratic loss has still to fall.

    Infinite where a direction of no or negative curvature is seen: the loss then falls on beyond any quadratic.
    """
    if torch.linalg.eigvalsh(krylov.tridiagonal)[0] <= 0:
        return math.inf
    unit = torch.zeros(krylov.num_products, dtype=torch.float64)
    unit[0] = torch.sum(start.double().square())
    return torch.linalg.solve(krylov.tridiagonal, unit)[0].item() / 2


def _log_odds(dim: int, confidence: float) -> float:
    return math.log(1.648 * math.sqrt(dim) / ((1 - confidence) / 2))


def _tridiagonal(diagonal: list[float], beside: list[float]) -> Tensor:
    off = torch.tensor(beside, dtype=torch.float64)
    return torch.tensor(diagonal, dtype=torch.float64).diag() + off.diag(1) + off.diag(-1)
