"""The precision that a model is computed in."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import Optimizer

from lionkit_lab.recipe import Precision as Name

# A weight's gradient of 1 would then be float16's smallest normal number.
_LEAST_SCALE = 2.0**-14
_AUTOCAST = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Precision:
    """One of the recipe's precisions, on a device.

    Args:
        name: The recipe's.
        device: Where the model is.
    """

    def __init__(self, name: Name, device: torch.device) -> None:
        self._device, self._half = device, _AUTOCAST.get(name)
        self._dtype = torch.float64 if name == "float64" else torch.float32
        self._scaler = GradScaler(device.type) if name == "float16" else None
        self._is_unscaled = False

    def weights(self, model: nn.Module) -> nn.Module:
        """Bring the model to the device, and its weights into the dtype that they are kept in."""
        return model.to(self._device, self._dtype)

    @property
    def keeps_batches(self) -> bool:
        """Whether batches are right as the task makes them: float32, on the CPU."""
        return self._device.type == "cpu" and self._dtype == torch.float32

    def batch(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Bring a batch to the device, and what is no index into the weights' dtype."""
        return tuple(it.to(self._device, self._dtype if it.is_floating_point() else it.dtype) for it in tensors)

    def autocast(self) -> AbstractContextManager[Any]:
        """Compute in half precision inside, where the recipe says so."""
        return torch.autocast(self._device.type, self._half) if self._half else nullcontext()

    def measured(self) -> AbstractContextManager[Any]:
        """Compute as ``autocast`` does inside, but what float16 is too narrow for without a scale in float32."""
        return nullcontext() if self._scaler else self.autocast()

    @property
    def drops_steps(self) -> bool:
        """Whether a step whose gradient is not finite is dropped as a matter of course."""
        return self._scaler is not None and not self.scale_is_spent

    @property
    def scale_is_spent(self) -> bool:
        """Whether the scale has fallen so far that a smaller one will not help."""
        return self._scaler is not None and self._scaler.get_scale() < _LEAST_SCALE

    def scaled(self, loss: Tensor) -> Tensor:
        """Return what to go backward from: small gradients of float16 would be 0."""
        return self._scaler.scale(loss) if self._scaler else loss

    def unscale(self, optimizer: Optimizer) -> None:
        """Bring the gradients to their own size."""
        if self._scaler:
            self._scaler.unscale_(optimizer)
            self._is_unscaled = True

    def step(self, optimizer: Optimizer, closure: Callable[[], float]) -> float:
        """Step the optimizer; with a scaled loss not where a gradient has overflowed, which halves the scale.

        Returns:
            What the closure returned.
        """
        if self._scaler is None:
            return optimizer.step(closure)
        try:
            value = closure()
            self._scaler.step(optimizer)
        finally:
            self._end_step()
        return value

    def _end_step(self) -> None:
        """Let the scale hear how its gradient was; also of a step that was dropped, once it was unscaled."""
        if self._scaler and self._is_unscaled:
            self._scaler.update()
        self._is_unscaled = False

    def state_dict(self) -> dict[str, Any]:
        """Return the scale and how long it has held."""
        return self._scaler.state_dict() if self._scaler else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with the scale of ``state_dict()``."""
        if self._scaler:
            self._scaler.load_state_dict(state)
