"""The constants that the theorems speak of, estimated from a model, a loss and data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, get_args

import torch
from torch import Tensor, nn

from lionkit.probes._constants_estimate import LEAST_SAMPLES
from lionkit.probes._constants_function import Function, Loss
from lionkit.probes._constants_path import Point, gap, look, noise_of, secants, smoothness
from lionkit.probes._frozen import BatchNorm, frozen
from lionkit.probes._full_gradient import num_rows
from lionkit.probes._problem_constants import ProblemConstants, require_within


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
    function = Function(model, loss, batches, num_samples or num_rows)
    _check_enough(function.rows)
    stops = [*path, None]
    each = 1 - (1 - confidence) / len(stops)  # so that the largest of all is covered as well
    with frozen(model, batch_norm), torch.enable_grad():
        function.check_deterministic()
        points = _walk(function, stops, products, torch.Generator().manual_seed(seed), progress)
    found = _summed_up(points, function.rows, confidence, each, lowest)
    if within is not None:
        require_within(found, within, each)
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


def _check_enough(rows: Sequence[int]) -> None:
    there, needed = max(map(rows.count, rows), default=0), 2 * LEAST_SAMPLES
    if there < needed:
        lacking = f"at least {needed} are needed: {needed - there} more"
        raise ValueError(f"too few samples: {there} batches of one size, {lacking}")


def _walk(
    function: Function,
    stops: Sequence[Mapping[str, Tensor] | None],
    products: int,
    generator: torch.Generator,
    progress: Callable[[int, int], Any] | None,
) -> list[Point]:
    """Look from each stop; from the last one also at what the loss would still fall."""
    points: list[Point] = []
    for place, stop in enumerate(stops):
        tick = _ticker(progress, place, len(stops), products)
        with function.at(stop):
            points.append(look(function, products, generator, decrement=place == len(stops) - 1, tick=tick))
    return points


def _summed_up(
    points: Sequence[Point], rows: Sequence[int], confidence: float, each: float, lowest: float | None
) -> ProblemConstants:
    by_batches, exponent = noise_of(points, each)
    return ProblemConstants(
        dim=points[0].weights.numel(),
        noise_sq=by_batches[1],
        noise_by_batches=by_batches,
        noise_exponent=exponent,
        smoothness=smoothness(points, each),
        path_smoothness=secants(points),
        gap=gap(points, rows, confidence, lowest),
        radius=max(point.weights.abs().max().item() for point in points),
        num_batches=len(rows),
        confidence=confidence,
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
