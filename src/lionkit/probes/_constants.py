"""The constants that the theorems speak of, estimated from a model, a loss and data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import torch
from torch import Tensor, nn

from lionkit.probes._constants_estimate import LEAST_SAMPLES, Estimate
from lionkit.probes._constants_function import Function, Loss
from lionkit.probes._constants_lanczos import products_for
from lionkit.probes._constants_path import Point, gap, look, noise_of, secants, smoothness
from lionkit.probes._frozen import BatchNorm, frozen
from lionkit.probes._full_gradient import _num_rows


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
        fall = f"; falls with the batch to the power {self.noise_exponent}" if self.noise_exponent else ""
        lines[0] += fall
        head = f"{self.dim} weights, {self.num_batches} batches, intervals of {self.confidence:.0%}"
        return "\n".join([head, *lines, f"  {'radius':<11}{self.radius:.4g}"])


def constants(
    model: nn.Module,
    loss: Loss,
    batches: Iterable[Any],
    *,
    path: Iterable[Mapping[str, Tensor]] = (),
    lowest: float | None = None,
    confidence: float = 0.95,
    within: float | None = None,
    products: int = 30,
    batch_norm: BatchNorm = "batch",
    num_samples: Callable[[Any], int] | None = None,
    seed: int = 0,
    progress: Callable[[int, int], Any] | None = None,
) -> ProblemConstants:
    r"""Estimate :math:`\sigma^2`, L, :math:`\Delta` and C, and say how well they are known.

    f is the mean loss over the distribution that the batches are a sample of, and one batch is what one step sees:
    pass batches as the training makes them. The Hessian is that of the loss over these batches. Weights, gradients,
    buffers, modes and the global random generators are bit-identical afterwards.

    Args:
        model: The model; it stands at the end of the path.
        loss: Takes the model and a batch, returns the mean loss over its samples, 0-dimensional, twice differentiable.
        batches: At least 8 of one size; a smaller one counts for loss and Hessian, not for the noise. All are kept.
        path: Weights by name that the run passed through, the first ones first; the model's own come last. ``dict(
            model.state_dict())`` with its tensors cloned is such a point.
        lowest: What the loss cannot fall below, such as 0 for a cross-entropy; bounds the gap.
        confidence: Of each interval, in (0, 1).
        within: Refuse unless noise and smoothness are known to this share of their value, above 0.
        products: Most products with the Hessian for each point, at least 1; each costs about three gradients over
            all batches.
        batch_norm: As in `full_gradient`.
        num_samples: As in `full_gradient`.
        seed: Of the vector from which the products start.
        progress: Called with the work done and the whole work, in passes over the batches.

    Raises:
        ValueError: too few batches, or estimates not within ``within``, with how many more are needed; a loss that is
            not deterministic or not finite; an argument out of its range.

    Example:
        >>> import torch
        >>> from lionkit import probes
        >>> model = torch.nn.Linear(2, 1, bias=False).double()
        >>> _ = torch.nn.init.constant_(model.weight, 1.0)
        >>> shifts = 0.1 * torch.randn(32, 1, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        >>> def loss(model, shift):  # 2 w1^2 + w2^2 / 2, and noise of variance 2 * 0.1^2 in its gradient
        ...     return (torch.tensor([2.0, 0.5]) * model.weight.square() + shift[0] * model.weight).sum()
        >>> found = probes.constants(model, loss, shifts.split(1))
        >>> round(found.smoothness.value, 6), found.noise_sq.low < 0.02 < found.noise_sq.high
        (4.0, True)
    """
    _check(confidence, within, products, batch_norm)
    batches = list(batches)
    function = Function(model, loss, batches, num_samples or _num_rows)
    equal = max(map(function.rows.count, function.rows), default=0)
    _need(equal, 2 * LEAST_SAMPLES, "batches of one size")
    points = [*path, None]
    each = 1 - (1 - confidence) / len(points)  # so that the largest of all is covered as well
    generator = torch.Generator().manual_seed(seed)
    seen: list[Point] = []
    with frozen(model, batch_norm), torch.enable_grad():
        function.check_deterministic()
        for place, point in enumerate(points):
            with function.at(point):
                last = place == len(points) - 1
                tick = _ticker(progress, place, len(points), products)
                seen.append(look(function, products, generator, decrement=last, tick=tick))
    by_batches, exponent = noise_of(seen, each)
    found = ProblemConstants(
        dim=seen[0].weights.numel(),
        noise_sq=by_batches[1],
        noise_by_batches=by_batches,
        noise_exponent=exponent,
        smoothness=smoothness(seen, each),
        path_smoothness=secants(seen),
        gap=gap(seen, function.rows, confidence, lowest),
        radius=max(point.weights.abs().max().item() for point in seen),
        num_batches=len(batches),
        confidence=confidence,
    )
    if within is not None:
        _need_within(found, within, each)
    return found


def _check(confidence: float, within: float | None, products: int, batch_norm: str) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"Invalid confidence: {confidence}, it must be in (0, 1)")
    if within is not None and not within > 0:
        raise ValueError(f"Invalid within: {within}, it must be above 0")
    if products < 1:
        raise ValueError(f"Invalid products: {products}, it must be at least 1")
    if batch_norm not in get_args(BatchNorm):
        raise ValueError(f"Invalid batch_norm: {batch_norm!r}, it must be 'batch' or 'running'")


def _need(there: int, needed: int, what: str) -> None:
    if there < needed:
        raise ValueError(f"too few samples: {there} {what}, at least {needed} are needed: {needed - there} more")


def _need_within(found: ProblemConstants, within: float, confidence: float) -> None:
    noise, slope = found.noise_sq, found.smoothness
    if noise.relative > within:
        known = math.log(noise.high / noise.value) if math.isfinite(noise.relative) else math.inf
        more = math.ceil(found.num_batches * ((known / math.log1p(within)) ** 2 - 1))
        raise ValueError(
            f"noise_sq is known within {noise.relative:.0%}, not {within:.0%}: about {more} more batches are needed"
        )
    if slope.relative > within:
        more = products_for(found.dim, within, confidence) - slope.num_samples
        raise ValueError(
            f"smoothness is known within {slope.relative:.0%}, not {within:.0%}: about {more} more products are needed"
        )


def _ticker(progress: Callable[[int, int], Any] | None, place: int, points: int, products: int) -> Callable[[], None]:
    """Count passes over the batches: one for the gradients, three for each product."""
    whole = 3 * products + 1
    done = [place * whole]

    def tick() -> None:
        done[0] += 3
        if progress:
            progress(min(done[0], points * whole), points * whole)

    return tick
