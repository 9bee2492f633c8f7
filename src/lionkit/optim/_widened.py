"""A step by a backend that knows dense tensors alone: codes and rounded weights are widened, stepped, made again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lionkit.kernels import Backend, WeightRounding, round_kahan, round_stochastic, statistics, words
from lionkit.momentum import codec_of
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


@dataclass(frozen=True, slots=True)
class _Slot:
    """The tensors of one parameter; what it has not is None."""

    position: int
    param: Tensor
    grad: Tensor
    momentum: Tensor
    scales: Tensor | None
    compensation: Tensor | None

    def widened(self, rounding: WeightRounding) -> tuple[Tensor, Tensor]:
        """Return weights and momentum as a backend takes them: the very tensors where nothing is special."""
        if self.scales is None and (rounding == "nearest" or not is_half(self.param)):
            return self.param, self.momentum
        param = _wide(self.param)
        if self.compensation is not None:
            param = param + self.compensation
        if self.scales is None:
            return param, _wide(self.momentum)
        return param, codec_of(self.momentum).decode(self.momentum, self.scales, self.param.shape)

    def write(self, param: Tensor, momentum: Tensor, rounding: WeightRounding, noise: int) -> None:
        """Round back what `widened` returned."""
        if param is self.param and momentum is self.momentum:
            return
        place = noise, self.position, param.numel(), param.device
        if param is not self.param:
            self._write_weights(param, rounding, place)
        if self.scales is not None:
            codes, scales = codec_of(self.momentum).encode(momentum, words(*place, stream="momentum"))
            self.momentum.copy_(codes)
            self.scales.copy_(scales)
        elif momentum is not self.momentum:
            self.momentum.copy_(momentum)

    def _write_weights(self, param: Tensor, rounding: WeightRounding, place: tuple[Any, ...]) -> None:
        if rounding == "stochastic":
            param = round_stochastic(param, words(*place, stream="weights"))
        if self.compensation is not None:
            param, compensation = round_kahan(param, self.param.dtype)
            self.compensation.copy_(compensation)
        self.param.copy_(param)


def _slots(operands: Operands, indices: Iterable[int]) -> Iterator[_Slot]:
    for i in indices:
        scales = operands.scales[i] if operands.scales else None
        compensation = operands.compensations[i] if operands.compensations else None
        yield _Slot(
            i, operands.params[i], operands.grads[i], operands.momenta[i], _if_any(scales), _if_any(compensation)
        )


def _if_any(tensor: Tensor | None) -> Tensor | None:
    return tensor if tensor is not None and tensor.numel() else None


def _wide(tensor: Tensor) -> Tensor:
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def _sums(params: list[Tensor], grads: list[Tensor], momenta: list[Tensor], settings: dict[str, Any]) -> Tensor:
    names = "betas", "weight_decay", "maximize"
    return statistics(params, grads, momenta, **{name: settings[name] for name in names})
