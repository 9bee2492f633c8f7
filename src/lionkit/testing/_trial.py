"""An optimizer on trial: parameters to make it on, and a problem to step it on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lionkit.testing._checks import generator, require

Make = Callable[[list[nn.Parameter]], Optimizer]
SHAPES: Sequence[tuple[int, ...]] = ((5, 3), (7,), (2, 3, 2, 2), ())


@dataclass(frozen=True)
class Trial:
    """How an optimizer is made, and on what.

    Attributes:
        make: Builds it on parameters.
        shapes: Of the parameters; the first is that of a matrix.
        dtype: Of the parameters.
    """

    make: Make
    shapes: Sequence[tuple[int, ...]] = SHAPES
    dtype: torch.dtype = torch.float32

    def parameters(self, shapes: Sequence[tuple[int, ...]] | None = None) -> list[nn.Parameter]:
        """Return parameters, the same ones at every call."""
        source = generator(1)
        drawn = torch.complex64 if self.dtype.is_complex else torch.float32
        tensors = [torch.randn(shape, generator=source, dtype=drawn) for shape in shapes or self.shapes]
        return [nn.Parameter(tensor.to(self.dtype)) for tensor in tensors]

    def start(self, shapes: Sequence[tuple[int, ...]] | None = None) -> tuple[Optimizer, list[nn.Parameter]]:
        """Return an optimizer and its parameters."""
        params = self.parameters(shapes)
        return self.make(params), params


def loss_of(params: Sequence[nn.Parameter]) -> Tensor:
    """Return half the squared distance to a point, steeper along some coordinates than along others."""
    source, total = generator(2), torch.zeros(())
    for param in params:
        target, steepness = torch.randn((2, *param.shape), generator=source)
        distance = param - (0.3 * target).to(param.dtype)
        squares = (distance * distance.conj()).real
        total = total + (steepness.exp().to(squares.dtype) * squares).sum() / 2
    return total


def closure_of(optimizer: Optimizer, params: Sequence[nn.Parameter]) -> Callable[[], Any]:
    """Return a closure that takes the gradients of the loss."""

    def closure() -> Any:
        optimizer.zero_grad()
        loss = loss_of(params)
        loss.backward()
        return loss

    return closure


def take_steps(optimizer: Optimizer, params: Sequence[nn.Parameter], count: int) -> list[float]:
    """Take some steps, and return the losses before each."""
    losses: list[Any] = [optimizer.step(closure_of(optimizer, params)) for _ in range(count)]
    return [loss.item() for loss in losses]


def grad_of(param: nn.Parameter) -> Tensor:
    """Return the gradient of a parameter that must have one."""
    require(param.grad is not None, "the gradient is gone")
    return param.grad  # type: ignore[return-value]


def values_of(params: Sequence[nn.Parameter]) -> list[Tensor]:
    """Return copies of the weights."""
    return [param.detach().clone() for param in params]


def to_evaluate(optimizer: Optimizer) -> None:
    """Put the weights to evaluate in place, where an optimizer has others between its steps."""
    getattr(optimizer, "eval", lambda: None)()


def to_train(optimizer: Optimizer) -> None:
    """Undo `to_evaluate`."""
    getattr(optimizer, "train", lambda: None)()
