"""A step by a backend that knows dense tensors alone: codes and rounded weights are widened, stepped, made again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from lionkit.kernels import Backend, WeightRounding, merge, round_kahan, round_stochastic, statistics, words
from lionkit.momentum import codec_of
from lionkit.momentum._shards import from_all, own, own_as, spread
from lionkit.optim._decay import decay_rate
from lionkit.optim._state import Operands, is_half


def step_widened(
    backend: Backend,
    operands: Operands,
    indices: Iterable[int],
    *,
    rounding: WeightRounding,
    noise: int,
    grad_scale: Tensor | None,
    observed: bool,
    **settings: Any,
) -> Tensor | None:
    """Step some parameters of a group in float32 or better, and round the results once.

    Args:
        backend: It computes; any will do.
        operands: All tensors of the step.
        indices: Which of them to step. An index is also a parameter's place in the noise.
        rounding: How half-precision weights are rounded.
        noise: The key of the step's noise.
        grad_scale: Divides the gradients, or None.
        observed: Whether to sum the step up.
        **settings: What every backend takes.

    Returns:
        The sums of `lionkit.kernels.statistics`, before the step, or None where nobody observes.
    """
    slots = list(_slots(operands, indices))
    # Gradients in float32, where a scaled half precision would underflow.
    grads = [slot.grad if grad_scale is None else _wide(slot.grad) / grad_scale for slot in slots]
    wide = [slot.widened(rounding) for slot in slots]
    params, momenta = [param for param, _ in wide], [momentum for _, momentum in wide]
    sums = _sums(params, grads, momenta, settings) if observed else None
    backend(params, grads, momenta, **settings)
    for slot, param, momentum in zip(slots, params, momenta, strict=True):
        slot.write(param, momentum, rounding, noise)
    return sums


def sums_of(group: Mapping[str, Any], given: Operands, grad_scale: Tensor | None) -> Tensor:
    """Sum up a step that is still to be taken, over all processes that have a shard of a parameter.

    Args:
        group: The parameter group.
        given: The tensors of the step.
        grad_scale: Divides the gradients, or None.

    Returns:
        The sums of `lionkit.kernels.statistics`, on every process.
    """
    settings = {"betas": group["betas"], "weight_decay": decay_rate(group), "maximize": group["maximize"]}
    parts = []
    for slot in _slots(given, range(len(given.params))):
        param, momentum = slot.widened(group["weight_rounding"])
        grad = own_as(slot.grad, slot.param)
        grad = grad if grad_scale is None else _wide(grad) / grad_scale
        part = statistics([own(param)], [grad], [own(momentum)], **settings)
        parts.extend(from_all(part, slot.param))
    return merge(parts)


@dataclass(frozen=True, slots=True)
class _Slot:
    """The tensors of one parameter; what it has not is None."""

    position: int
    param: Tensor
    grad: Tensor
    momentum: Tensor
    scales: Tensor | None
    compensation: Tensor | None
    places: Tensor | None

    def widened(self, rounding: WeightRounding) -> tuple[Tensor, Tensor]:
        """Return weights and momentum as a backend takes them: the very tensors where nothing is special."""
        if self.scales is None and (rounding == "nearest" or not is_half(self.param)):
            return self.param, self.momentum
        param = _wide(self.param)
        if self.compensation is not None:
            param = param + self.compensation
        if self.scales is None:
            return param, _wide(self.momentum)
        momentum = codec_of(self.momentum).decode(own(self.momentum), own(self.scales), own(self.param).shape)
        return param, spread(momentum, self.param)

    def write(self, param: Tensor, momentum: Tensor, rounding: WeightRounding, noise: int) -> None:
        """Round back what `widened` returned, of a parameter that is spread over processes each shard on its own."""
        if param is self.param and momentum is self.momentum:
            return
        shard = own(param)
        drawn = partial(words, noise, self.position, shard.numel(), shard.device, places=self.places)
        if param is not self.param:
            self._write_weights(shard, rounding, drawn)
        if self.scales is not None:
            codes, scales = codec_of(self.momentum).encode(own(momentum), drawn(stream="momentum"))
            own(self.momentum).copy_(codes)
            own(self.scales).copy_(scales)
        elif momentum is not self.momentum:
            self.momentum.copy_(momentum)

    def _write_weights(self, param: Tensor, rounding: WeightRounding, drawn: Callable[..., Tensor]) -> None:
        if rounding == "stochastic":
            param = round_stochastic(param, drawn(stream="weights"))
        if self.compensation is not None:
            param, compensation = round_kahan(param, self.param.dtype)
            own(self.compensation).copy_(compensation)
        own(self.param).copy_(param)


def _slots(operands: Operands, indices: Iterable[int]) -> Iterator[_Slot]:
    for i in indices:
        scales = operands.scales[i] if operands.scales else None
        compensation = operands.compensations[i] if operands.compensations else None
        places = operands.places[i] if operands.places else None
        tensors = operands.params[i], operands.grads[i], operands.momenta[i]
        yield _Slot(i, *tensors, _if_any(scales), _if_any(compensation), places)


def _if_any(tensor: Tensor | None) -> Tensor | None:
    return tensor if tensor is not None and tensor.numel() else None


def _wide(tensor: Tensor) -> Tensor:
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def _sums(params: list[Tensor], grads: list[Tensor], momenta: list[Tensor], settings: dict[str, Any]) -> Tensor:
    names = "betas", "weight_decay", "maximize"
    return statistics(params, grads, momenta, **{name: settings[name] for name in names})
