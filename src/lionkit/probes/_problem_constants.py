"""What is known of a problem's constants after a look at it, and how well."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lionkit.probes._constants_estimate import Estimate
from lionkit.probes._constants_lanczos import products_for


@dataclass(frozen=True)
class ProblemConstants:
    r"""What was estimated; ``print`` it for a table. All are of the model as one vector of d trainable weights.

    Attributes:
        dim: :math:`d`.
        noise_sq: :math:`\sigma^2 = \mathbb E\|g - \nabla f\|_2^2` of one batch, in (loss / weight)^2; the largest
            along the path.
        noise_by_batches: The same by how many batches are averaged: 1, 2, 4 and so on, where it is largest.
        noise_exponent: p of :math:`\sigma^2 \propto B^p` over those: -1 for independent samples; None for fewer than
            16 batches.
        smoothness: :math:`L`, the largest absolute eigenvalue of the Hessian, the largest of the points of the
            path, in loss per weight squared. Between the points it may be larger.
        path_smoothness: :math:`\max \|\nabla f(x) - \nabla f(y)\|_2 / \|x - y\|_2` over neighbours of the path, never
            above L; None for a single point.
        gap: :math:`\Delta = f(\theta_1) - f^\star` from the first point of the path, in loss: the fall seen, and what a
            quadratic would still fall if the last point is the lowest. Its upper end is infinite where the loss may
            fall without bound.
        radius: :math:`C`, the largest absolute weight on the path.
        num_batches: How many batches there were.
        confidence: Of each interval.

    References:
        Dong, Li, Lin, "Convergence Rate Analysis of LION", arXiv 2411.07724, Assumptions 1 to 3 and Theorem 4.
    """

    dim: int
    noise_sq: Estimate
    noise_by_batches: dict[int, Estimate]
    noise_exponent: Estimate | None
    smoothness: Estimate
    path_smoothness: float | None
    gap: Estimate
    radius: float
    num_batches: int
    confidence: float

    @property
    def noise(self) -> float:
        r""":math:`\sigma`, in loss per weight."""
        return math.sqrt(self.noise_sq.value)

    def __str__(self) -> str:
        rows = [("noise_sq", self.noise_sq), ("smoothness", self.smoothness), ("gap", self.gap)]
        lines = [f"  {name:<11}{estimate}" for name, estimate in rows]
        if self.noise_exponent:
            lines[0] += f"; falls with the batch to the power {self.noise_exponent}"
        head = f"{self.dim} weights, {self.num_batches} batches, intervals of {self.confidence:.0%}"
        return "\n".join([head, *lines, f"  {'radius':<11}{self.radius:.4g}"])


def require_within(found: ProblemConstants, within: float, confidence: float) -> None:
    """Refuse estimates that are not known to a share of their value.

    Args:
        found: The estimates.
        within: The share, above 0.
        confidence: Of the intervals at each point of the path.

    Raises:
        ValueError: noise or smoothness is not; with about how many more batches or products would make it so.
    """
    lacking = (
        ("noise_sq", found.noise_sq, "batches", _more_batches),
        ("smoothness", found.smoothness, "products", _more_products),
    )
    for name, estimate, what, more in lacking:
        if estimate.relative > within:
            known = f"{name} is known within {estimate.relative:.0%}, not {within:.0%}"
            raise ValueError(f"{known}: about {more(found, within, confidence)} more {what} are needed")


def _more_batches(found: ProblemConstants, within: float, _: float) -> int:
    known = math.log(found.noise_sq.high / found.noise_sq.value)
    return math.ceil(found.num_batches * ((known / math.log1p(within)) ** 2 - 1))


def _more_products(found: ProblemConstants, within: float, confidence: float) -> int:
    return products_for(found.dim, within, confidence) - found.smoothness.num_samples
