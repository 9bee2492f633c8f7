"""A model, a loss and batches as a function of one vector of weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

Loss = Callable[[nn.Module, Any], Tensor]
# What two evaluations of one loss may differ by, relative to it: sums in another order, not another sample.
_ROUNDING = {torch.float64: 1e-10, torch.float32: 1e-4}


class Function:
    """The loss over the batches, as a function of the trainable weights.

    Args:
        model: The model.
        loss: The mean loss over a batch.
        batches: The batches.
        num_samples: A batch's number of samples.

    Raises:
        ValueError: no trainable weight, or complex ones.
    """

    def __init__(self, model: nn.Module, loss: Loss, batches: Sequence[Any], num_samples: Callable[[Any], int]) -> None:
        self._params = {name: param for name, param in model.named_parameters() if param.requires_grad}
        if not self._params:
            raise ValueError("model has no parameter that requires a gradient, at least one is needed")
        for name, param in self._params.items():
            if param.is_complex():
                raise ValueError(f"Invalid parameter {name!r}: {param.dtype}, constants are measured of real weights")
        self._model, self._loss = model, loss
        self.batches = batches
        self.rows = [num_samples(batch) for batch in batches]
        half = all(param.dtype != torch.float64 for param in self._params.values())
        self._dtype = torch.float32 if half else torch.float64

    @property
    def weights(self) -> Tensor:
        """The weights as they are, [d]."""
        return self._flat([param.detach() for param in self._params.values()])

    @contextmanager
    def at(self, point: Mapping[str, Tensor] | None) -> Iterator[None]:
        """Stand at other weights, by name; None: at those that are there. The parameters keep their own memory.

        Raises:
            ValueError: a trainable parameter is missing from the point, or has another shape there.
        """
        own = {name: param.data for name, param in self._params.items()}
        try:
            if point is not None:
                for name, param in self._params.items():
                    param.data = _fitting(name, point, param)
            yield
        finally:
            for name, param in self._params.items():
                param.data = own[name]

    def gradients(self) -> Iterator[tuple[float, Tensor]]:
        """Yield the loss and the gradient of each batch."""
        for batch in self.batches:
            value = self._value(batch)
            yield value.item(), self._gradient(value)

    def product(self, vector: Tensor) -> Tensor:
        """Return the Hessian times a vector, both [d]."""
        total, count = torch.zeros_like(vector), sum(self.rows)
        parts = self._split(vector)
        with sdpa_kernel(SDPBackend.MATH):  # the fused kernels of attention have no second derivative
            for batch, rows in zip(self.batches, self.rows, strict=True):
                grads = self._grad(self._value(batch), create_graph=True)
                slope = sum(torch.sum(g * part) for g, part in zip(grads, parts, strict=True) if g.requires_grad)
                if isinstance(slope, Tensor):  # not of a loss that is linear in the weights
                    total.add_(self._flat(self._grad(slope, create_graph=False)), alpha=rows / count)
        if not total.isfinite().all():
            raise ValueError("the Hessian of the loss is not finite: constants are measured where it is")
        return total

    def check_deterministic(self) -> None:
        """Evaluate one batch twice.

        Raises:
            ValueError: the two differ.
        """
        first, second = ((value.item(), self._gradient(value)) for value in self._twice())
        size = max(torch.linalg.vector_norm(first[1]).item(), torch.finfo(self._dtype).tiny)
        apart = torch.linalg.vector_norm(first[1] - second[1]).item() / size
        allowed = _ROUNDING[self._dtype]
        if not (math.isclose(first[0], second[0], rel_tol=allowed) and apart <= 100 * allowed):
            raise ValueError(
                f"loss is not deterministic: {first[0]:.9g} and {second[0]:.9g} on the same batch, with gradients "
                f"{apart:.2g} apart; switch off what draws at random in it"
            )

    def _twice(self) -> Iterator[Tensor]:
        return (self._value(self.batches[0]) for _ in range(2))

    def _value(self, batch: Any) -> Tensor:
        value = self._loss(self._model, batch)
        if value.dim() != 0:
            shape = tuple(value.shape)
            raise ValueError(f"loss returned shape {shape}, it must be the 0-dimensional mean of the batch")
        if not math.isfinite(value.item()):
            raise ValueError(f"loss is {value.item()}: constants are measured where it is finite")
        return value

    def _gradient(self, value: Tensor) -> Tensor:
        gradient = self._flat(self._grad(value, create_graph=False))
        if not gradient.isfinite().all():
            raise ValueError("gradient of the loss is not finite: constants are measured where it is")
        return gradient

    def _grad(self, value: Tensor, create_graph: bool) -> list[Tensor]:
        params = list(self._params.values())
        found = torch.autograd.grad(value, params, create_graph=create_graph, allow_unused=True)
        return [torch.zeros_like(p) if grad is None else grad for p, grad in zip(params, found, strict=True)]

    def _flat(self, tensors: Sequence[Tensor]) -> Tensor:
        return torch.cat([tensor.reshape(-1).to(self._dtype) for tensor in tensors])

    def _split(self, vector: Tensor) -> list[Tensor]:
        params = self._params.values()
        parts = vector.split([param.numel() for param in params])
        return [part.view_as(param).to(param.dtype) for part, param in zip(parts, params, strict=True)]


def _fitting(name: str, point: Mapping[str, Tensor], param: Tensor) -> Tensor:
    if name not in point or point[name].shape != param.shape:
        found = f"shape {tuple(point[name].shape)}" if name in point else "missing"
        raise ValueError(f"Invalid path: {name!r} is {found}, it must have shape {tuple(param.shape)}")
    return point[name].detach().to(param)
