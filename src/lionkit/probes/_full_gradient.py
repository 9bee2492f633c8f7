"""The full gradient: loss and gradient over all batches, with the weights frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import torch
from torch import Tensor, nn

from lionkit.probes._frozen import BatchNorm, frozen
from lionkit.probes._quantities import Quantities, combine, measure


@dataclass(frozen=True)
class FullGradient:
    """The loss and the gradient over a whole data set, and what they say.

    Attributes:
        loss: Mean loss over all samples.
        num_samples: How many samples there were.
        total: The quantities of the model as one vector of d trainable weights.
        per_parameter: The quantities of each parameter by its name.
        gradient: The gradient itself by name: in the parameter's shape, in float32 or better.
    """

    loss: float
    num_samples: int
    total: Quantities
    per_parameter: dict[str, Quantities]
    gradient: dict[str, Tensor] = field(repr=False)


def full_gradient(
    model: nn.Module,
    loss: Callable[[nn.Module, Any], Tensor],
    batches: Iterable[Any],
    *,
    weight_decay: float | Mapping[str, float] = 0.0,
    batch_norm: BatchNorm = "batch",
    num_samples: Callable[[Any], int] | None = None,
) -> FullGradient:
    r"""Measure :math:`f(\theta)` and :math:`\nabla f(\theta)` over all batches, as section 4 of the paper does.

    Nothing is left behind: weights, buffers, ``.grad``, modes and the global random generators (torch's on the
    CPU and on the model's devices, Python's and numpy's) are bit-identical afterwards, also when ``loss`` raises.
    A generator of your own that ``batches`` draws from is yours to keep. Dropout is off, so that the loss is a
    function of the weights.

    Args:
        model: The model; its parameters that require a gradient make up the d coordinates. One that the
            loss does not reach counts with gradient 0.
        loss: Takes the model and a batch, returns the *mean* loss over the batch's samples, 0-dimensional.
        batches: Each is weighted by its number of samples; the last one may be smaller.
        weight_decay: The decoupled decay, at least 0: one number, or one a parameter's name (0 where missing).
        batch_norm: "batch" normalises by each batch's own statistics, as the training step does, so that the
            measured function is the one that training descends (a layer that stands in eval mode while the
            model trains keeps to its running statistics, as it does in training); "running" by the running
            statistics, as the deployed model does, which makes the result independent of how samples are batched.
        num_samples: Returns a batch's number of samples; None: the rows of its first tensor.

    Returns:
        A `FullGradient`. Non-finite losses and gradients are returned as they are.

    Raises:
        ValueError: no batch, a loss that is not 0-dimensional, no trainable parameter, a negative decay, or
            an unknown ``batch_norm`` or parameter name.

    Example:
        >>> import torch
        >>> from lionkit import probes
        >>> model = torch.nn.Linear(2, 1, bias=False)
        >>> _ = torch.nn.init.constant_(model.weight, 0.5)
        >>> batches = [torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[5.0, -6.0]])]
        >>> measured = probes.full_gradient(model, lambda model, x: model(x).mean(), batches, weight_decay=0.1)
        >>> measured.gradient["weight"]
        tensor([[3., 0.]])
        >>> measured.total.ratio, round(measured.total.kkt_residual, 6)  # 3 + 0.1 * 0.5 * 3
        (1.0, 3.15)

    References:
        Dong, Li, Lin, "Convergence Rate Analysis of LION", arXiv 2411.07724, section 4 and equation (11).
    """
    if batch_norm not in get_args(BatchNorm):
        raise ValueError(f"Invalid batch_norm: {batch_norm!r}, it must be 'batch' or 'running'")
    params = {name: param for name, param in model.named_parameters() if param.requires_grad}
    decays = _decays(params, weight_decay)
    with frozen(model, batch_norm), torch.enable_grad():
        mean_loss, gradient, count = _accumulate(model, loss, batches, params, num_samples or num_rows)
    per_parameter = {name: measure(param.detach(), gradient[name], decays[name]) for name, param in params.items()}
    return FullGradient(mean_loss, count, combine(per_parameter.values()), per_parameter, gradient)


def _accumulate(
    model: nn.Module,
    loss: Callable[[nn.Module, Any], Tensor],
    batches: Iterable[Any],
    params: Mapping[str, nn.Parameter],
    num_samples: Callable[[Any], int],
) -> tuple[float, dict[str, Tensor], int]:
    """Return the mean loss, the mean gradient by name, and the number of samples."""
    sums = {name: torch.zeros_like(param, dtype=_sum_dtype(param)) for name, param in params.items()}
    loss_sum, count = 0.0, 0
    for batch in batches:
        rows = num_samples(batch)
        value = loss(model, batch)
        if value.dim() != 0:
            raise ValueError(
                f"loss returned shape {tuple(value.shape)}, it must be the 0-dimensional mean of the batch"
            )
        grads = torch.autograd.grad(value, list(params.values()), allow_unused=True)  # leaves .grad alone
        for total, grad in zip(sums.values(), grads, strict=True):
            if grad is not None:
                total.add_(grad, alpha=rows)
        loss_sum += value.item() * rows
        count += rows
    if not count:
        raise ValueError("batches held no sample, at least one is needed")
    return loss_sum / count, {name: total.div_(count) for name, total in sums.items()}, count


def _sum_dtype(param: Tensor) -> torch.dtype:
    """Half precisions are summed in float32: a sum of thousands of batches would stall in their own."""
    return torch.promote_types(param.dtype, torch.float32)


def num_rows(batch: Any) -> int:
    """Return the rows of the first tensor in a batch: a tensor, or a sequence or mapping of them."""
    if isinstance(batch, Tensor):
        return len(batch)
    values = batch.values() if isinstance(batch, Mapping) else batch
    return num_rows(next(iter(values)))


def _decays(params: Mapping[str, Tensor], weight_decay: float | Mapping[str, float]) -> dict[str, float]:
    """Return each parameter's decay."""
    if not params:
        raise ValueError("model has no parameter that requires a gradient, at least one is needed")
    given = weight_decay if isinstance(weight_decay, Mapping) else dict.fromkeys(params, weight_decay)
    for name, decay in given.items():
        if name not in params:
            raise ValueError(f"Invalid weight_decay: no trainable parameter is named {name!r}")
        if not decay >= 0:
            raise ValueError(f"Invalid weight_decay of {name!r}: {decay}, it must be at least 0")
    return {name: given.get(name, 0.0) for name in params}
