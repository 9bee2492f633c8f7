"""The step of all groups: what happens around the step of each, where a seat asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from lionkit import kernels
from lionkit.momentum import DENSE, decode_state, encode_state, has_momentum, is_low_rank, zero_state
from lionkit.momentum._shards import any_spread
from lionkit.optim._agreement import refuse_what_looks_at_gradients, step_agreed
from lionkit.optim._direction import smallest_of
from lionkit.optim._gradient import Batch
from lionkit.optim._state import State, operands
from lionkit.optim._step import step_group
from lionkit.optim._widened import sums_of

Pair = tuple[list[Tensor], list[Tensor]]


def step_groups(
    groups: Sequence[dict[str, Any]],
    pairs: Sequence[Pair],
    state: State,
    *,
    previous: Mapping[Tensor, Tensor],
    grad_scale: Tensor | None,
    observed: bool,
) -> list[Tensor | None]:
    """Take the step.

    Args:
        groups: The parameter groups.
        pairs: Of each, the parameters that have a gradient, and the gradients.
        state: The optimizer's.
        previous: The gradients on the same batch at the weights before, for a `GradientEstimate` of two points.
        grad_scale: Divides the gradients, or None.
        observed: Whether to sum the step up.

    Returns:
        The sums of each group as `step_group` returns them; None of a group without a gradient.
    """
    refuse_what_looks_at_gradients(groups, grad_scale, observed)
    turns = [
        _turn(group, *pair, state, previous, grad_scale, observed) for group, pair in zip(groups, pairs, strict=True)
    ]
    asks = [turn for turn in turns if turn.group["direction"] is not None and turn.group["direction"].asks_for_smallest]
    smallest = smallest_of(c for turn in asks for c in turn.cs()) if any(turn.params for turn in asks) else None
    sums = []
    for turn in turns:
        sums.append(turn.step(smallest) if turn.params else None)
        if turn.batch is not None:
            turn.group["gradient"].after(turn.batch)
    return sums


@dataclass(frozen=True, slots=True)
class _Turn:
    """A group's, once its gradients are estimated."""

    group: dict[str, Any]
    params: list[Tensor]
    grads: list[Tensor]
    state: State
    grad_scale: Tensor | None
    observed: bool
    batch: Batch | None = field(default=None)

    def cs(self) -> list[Tensor]:
        """Return what every parameter's direction will be made of."""
        given = operands(self.group, self.params, self.grads, self.state, self.grad_scale)
        scale = (1 if self.grad_scale is None else self.grad_scale) * (-1 if self.group["maximize"] else 1)
        pairs = zip(given.momenta, given.grads, strict=True)
        return [torch.lerp(m, (grad / scale).to(m.dtype), 1 - self.group["betas"][0]) for m, grad in pairs]

    def step(self, smallest: Tensor | None) -> Tensor | None:
        """Step what is dense at once, and matrices of low rank one by one: one dense momentum at a time."""
        if self.group["agreement"] is not None:
            step_agreed(self.group, self.params, self.grads, self.state)
            return None
        rank = self.group["momentum_rank"]
        low = [is_low_rank(rank, param) for param in self.params] if rank is not None else ()
        if not any(low):
            return self._step(self.params, self.grads, smallest)
        parts = []
        for position, (param, grad) in enumerate(zip(self.params, self.grads, strict=True)):
            if low[position]:
                parts.append(self._step_low_rank(position, param, grad))
            else:
                parts.append(self._step([param], [grad], smallest))
        return kernels.merge(part for part in parts if part is not None) if self.observed else None

    @torch._disable_dynamo  # the key of its noise would be another constant of the graph at every step
    def _step_low_rank(self, position: int, param: Tensor, grad: Tensor) -> Tensor | None:
        group, kept = self.group, self.state[param]
        dtype, rank = group["momentum_dtype"], group["momentum_rank"]
        if not has_momentum(kept) and group["momentum_init"] == "zeros":
            kept.update(zero_state(dtype, param, rank))
        if has_momentum(kept):
            kept[DENSE] = decode_state(kept, param)
        sums = self._step([param], [grad], None)
        key = kernels.step_key(kernels.step_key(group["seed"], group["noise_step"]), position)
        _write(encode_state(kept.pop(DENSE), dtype, param, rank, key=key), kept)
        return sums

    def _step(self, params: list[Tensor], grads: list[Tensor], smallest: Tensor | None) -> Tensor | None:
        given = operands(self.group, params, grads, self.state, self.grad_scale)
        # A backend would sum up the shards of this process alone.
        sums = sums_of(self.group, given, self.grad_scale) if self.observed and any_spread(params) else None
        observed = self.observed and sums is None
        found = step_group(self.group, given, grad_scale=self.grad_scale, observed=observed, smallest=smallest)
        return found if sums is None else sums


def _turn(
    group: dict[str, Any],
    params: list[Tensor],
    grads: list[Tensor],
    state: State,
    previous: Mapping[Tensor, Tensor],
    grad_scale: Tensor | None,
    observed: bool,
) -> _Turn:
    """Let the group's rule estimate the gradients, unscaled, where there is one."""
    if group["gradient"] is None or not params:
        return _Turn(group, params, grads, state, grad_scale, observed)
    if grad_scale is not None:
        grads = [grad.to(torch.promote_types(grad.dtype, torch.float32)) / grad_scale for grad in grads]
    batch = Batch(group, params, grads, [state[param] for param in params], previous)
    return _Turn(group, params, group["gradient"].before(batch), state, None, observed, batch)


def _write(found: Mapping[str, Tensor], kept: dict[str, Any]) -> None:
    """Write tensors into those of a state, where it has them: they stay the same tensors."""
    for name, tensor in found.items():
        if name in kept:
            kept[name].copy_(tensor)
        else:
            kept[name] = tensor
