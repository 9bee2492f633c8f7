"""What the points of a path say together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from lionkit.probes._constants_estimate import Estimate
from lionkit.probes._constants_function import Function
from lionkit.probes._constants_lanczos import Krylov, lanczos, newton_decrement, spectral_norm
from lionkit.probes._constants_noise import Ladder, exponent


@dataclass(frozen=True)
class Point:
    """What was measured at one point.

    Attributes:
        weights: Where it is, [d].
        losses: The loss of each batch, in the order of the batches.
        gradient: The mean gradient, [d].
        ladder: The noise.
        krylov: Products with the Hessian, from a random start.
        decrement: What a quadratic would still fall; nan where it was not asked for.
    """

    weights: Tensor
    losses: list[float]
    gradient: Tensor
    ladder: Ladder
    krylov: Krylov
    decrement: float


def look(
    function: Function, products: int, generator: torch.Generator, *, decrement: bool, tick: Callable[[], None]
) -> Point:
    """Measure where the function stands.

    Args:
        function: The function.
        products: Most products with the Hessian, for each start.
        generator: Draws the random start.
        decrement: Whether to measure what the loss would still fall.
        tick: Called after each product.
    """
    weights = function.weights
    ladder, losses, gradient = Ladder(), [], torch.zeros_like(weights)
    common = max(function.rows, key=function.rows.count)
    for (loss, part), rows in zip(function.gradients(), function.rows, strict=True):
        losses.append(loss)
        gradient.add_(part, alpha=rows / sum(function.rows))
        if rows == common:
            ladder.add(part)

    def product(vector: Tensor) -> Tensor:
        tick()
        return function.product(vector)

    start = torch.randn(len(weights), generator=generator, dtype=torch.float64).to(weights)
    krylov = lanczos(product, start, products)
    left = math.nan
    if decrement:
        left = 0.0 if not gradient.any() else newton_decrement(lanczos(function.product, gradient, products), gradient)
    return Point(weights, losses, gradient, ladder, krylov, left)


def noise_of(points: Sequence[Point], confidence: float) -> tuple[dict[int, Estimate], Estimate | None]:
    """Return the noise by batches where it is largest, and its exponent there."""
    found = [point.ladder.by_batches(confidence) for point in points]
    largest = max(found, key=lambda by_batches: by_batches[1].value)
    everywhere = _largest([by_batches[1] for by_batches in found])
    return largest | {1: everywhere}, exponent(largest, confidence)


def smoothness(points: Sequence[Point], confidence: float) -> Estimate:
    """Return the largest curvature of all points."""
    return _largest([spectral_norm(point.krylov, len(point.weights), confidence) for point in points])


def secants(points: Sequence[Point]) -> float | None:
    """Return the largest change of the gradient along the path, relative to that of the weights."""
    ratios = [
        (torch.linalg.vector_norm(b.gradient - a.gradient) / torch.linalg.vector_norm(b.weights - a.weights)).item()
        for a, b in pairwise(points)
        if not a.weights.equal(b.weights)
    ]
    return max(ratios, default=None)


def gap(points: Sequence[Point], rows: Sequence[int], confidence: float, lowest: float | None) -> Estimate:
    """Return the fall from the first point to the lowest, and what a quadratic would still fall if that is the last."""
    common = max(rows, key=rows.count)
    losses = [_of_common(point.losses, rows, common) for point in points]
    best = min(range(len(points)), key=lambda place: losses[place].mean())
    seen = Estimate.of_mean((losses[0] - losses[best]).tolist(), confidence)
    most = math.inf if lowest is None else Estimate.of_mean((losses[0] - lowest).tolist(), confidence).high
    left = points[best].decrement
    if not math.isfinite(left):
        return Estimate(seen.value, seen.low, most, seen.num_samples)
    return Estimate(min(seen.value + left, most), seen.low, min(seen.high + 2 * left, most), seen.num_samples)


def _of_common(losses: Sequence[float], rows: Sequence[int], common: int) -> Tensor:
    kept = [loss for loss, count in zip(losses, rows, strict=True) if count == common]
    return torch.tensor(kept, dtype=torch.float64)


def _largest(estimates: Sequence[Estimate]) -> Estimate:
    """Return an estimate of the largest of several numbers, each covered by its interval at once."""
    best = max(estimates, key=lambda it: it.value)
    return Estimate(best.value, max(it.low for it in estimates), max(it.high for it in estimates), best.num_samples)
