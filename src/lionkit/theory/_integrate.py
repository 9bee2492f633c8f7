"""An integrator for ordinary differential equations: Dormand and Prince's embedded pair of orders 5 and 4."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

Field = Callable[[Tensor], Tensor]

# The tableau: Hairer, Norsett, Wanner, "Solving Ordinary Differential Equations I", section II.5, Table 5.2. The last
# row gives the 5th-order result, whose slope is the first of the next step; _ERROR is that row less the 4th-order one.
_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = (71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
_SAFETY, _LEAST_FACTOR, _MOST_FACTOR = 0.9, 0.2, 5.0
_MOST_STEPS = 10_000  # from one wanted time to the next; a flow that chatters across a jump would take millions


def integrate(field: Field, state: Tensor, times: Sequence[float], *, rtol: float, atol: float) -> Tensor:
    """Solve dy/dt = field(y), with the step size controlled so that its error stays within the tolerances.

    Args:
        field: The right-hand side, smooth along the solution.
        state: y at ``times[0]``, any shape, floating.
        times: Increasing times at which the solution is wanted; a step ends on each.
        rtol: Error of a step, relative to y.
        atol: Error of a step where y is about 0.

    Returns:
        y at the times, stacked along a new first dimension.

    Raises:
        RuntimeError: the step size falls to the rounding of the time, as it does where the field jumps.
    """
    states, slope = [state], field(state)
    step = times[-1] - times[0]
    for start, end in pairwise(times):
        state, slope, step = _between(field, state, slope, (start, end), step, (rtol, atol))
        states.append(state)
    return torch.stack(states)


def step_once(field: Field, state: Tensor, slope: Tensor, size: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return y one step later, the slope there, and the estimate of the error."""
    slopes = [slope]
    new = state
    for weights in _STAGES:
        new = state + size * _combine(weights, slopes)
        slopes.append(field(new))
    return new, slopes[-1], size * _combine(_ERROR, slopes)


def _between(
    field: Field,
    state: Tensor,
    slope: Tensor,
    span: tuple[float, float],
    step: float,
    tolerances: tuple[float, float],
) -> tuple[Tensor, Tensor, float]:
    """Integrate from one wanted time to the next; return the last step size that was not cut by a wanted time."""
    time, end = span
    for _ in range(_MOST_STEPS):
        left = end - time
        size = left if step > 0.99 * left else step  # no crumb of a step is left over
        new, new_slope, error = step_once(field, state, slope, size)
        norm = _error_norm(error, state, new, tolerances)
        proposed = size * min(_MOST_FACTOR, max(_LEAST_FACTOR, _SAFETY * norm**-0.2 if norm else _MOST_FACTOR))
        if norm <= 1:
            state, slope, time = new, new_slope, time + size
            if size == left:
                return state, slope, max(step, proposed)
        step = proposed
        if time + step == time:
            break
    raise RuntimeError(f"The flow cannot be followed beyond t = {time:.6g}: its field jumps, or is too stiff, there")


def _combine(weights: Sequence[float], slopes: list[Tensor]) -> Tensor:
    return sum((weight * slope for weight, slope in zip(weights, slopes, strict=True)), torch.zeros_like(slopes[0]))


def _error_norm(error: Tensor, old: Tensor, new: Tensor, tolerances: tuple[float, float]) -> float:
    """Return the error in units of what is tolerated, root mean square; at most 1 is good."""
    rtol, atol = tolerances
    scaled = error / (atol + rtol * torch.maximum(old.abs(), new.abs()))
    norm = scaled.square().mean().sqrt().item()
    return norm if norm == norm else float("inf")
