"""The laws of what a step does with gradients; each raises where the optimizer of a trial breaks it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

from lionkit.testing._checks import require, require_same
from lionkit.testing._trial import Trial, closure_of, grad_of, to_evaluate, values_of


def leaves_gradients_alone(trial: Trial) -> None:
    """A gradient is the same object, at the same place, of the same version and numbers."""
    optimizer, params = trial.start()
    evaluated = []

    def closure() -> Any:
        loss = closure_of(optimizer, params)()
        evaluated[:] = [(p.grad, grad_of(p).clone(), grad_of(p)._version, grad_of(p).data_ptr()) for p in params]
        return loss

    for _ in range(3):
        optimizer.step(closure)
        for param, (grad, value, version, address) in zip(params, evaluated, strict=True):
            require(param.grad is grad, "a gradient is another tensor after the step")
            found = grad_of(param)._version, grad_of(param).data_ptr()
            require(found == (version, address), "a gradient was written to")
            require_same(grad_of(param), value, "a gradient after the step")


def idles_without_gradients(trial: Trial) -> None:
    """A parameter without a gradient is left alone, its state too: of all, of the first, and of a frozen one."""
    params = trial.parameters()
    still, frozen = params[0], nn.Parameter(params[0].detach().clone(), requires_grad=False)
    optimizer, before = trial.make([*params, frozen]), values_of(params)
    optimizer.step(_no_gradients)
    for param, value in zip(params, before, strict=True):
        require_same(param.detach(), value, "a parameter, where none has a gradient")
        require(not optimizer.state.get(param), "there is a state, and never was a gradient")
    for _ in range(2):
        optimizer.step(closure_of(optimizer, params[1:]) if params[1:] else _no_gradients)
    for idle in (still, frozen):
        require_same(idle.detach(), before[0], "a parameter without a gradient")
        require(not optimizer.state.get(idle), "there is a state for a parameter without a gradient")


def refuses_sparse_gradients(trial: Trial) -> None:
    """Before anything is written."""
    optimizer, params = trial.start(trial.shapes[:1])
    before = values_of(params)

    def closure() -> Any:
        params[0].grad = torch.ones_like(params[0]).to_sparse()
        return torch.zeros(())

    try:
        optimizer.step(closure)
    except RuntimeError:
        require_same(params[0].detach(), before[0], "a parameter with a refused gradient")
    else:
        raise AssertionError("a sparse gradient is not refused by a RuntimeError")


def reads_any_strides(trial: Trial, rounding: float | None = None) -> None:
    """Weights with gaps between them, gradients transposed or expanded: the values count, not where they lie.

    Args:
        trial: The optimizer's.
        rounding: How far weights may be apart; None: 8 units of rounding of their dtype.
    """
    rounding = 8 * torch.finfo(trial.dtype).eps if rounding is None else rounding
    straight, gapped = trial.parameters(), trial.parameters()
    for param in gapped:
        param.data = torch.stack([param.data, param.data], dim=-1)[..., 0]
    optimizers = trial.make(straight), trial.make(gapped)
    for turn in (_transposed, _expanded, _transposed):
        for optimizer, params, put in zip(optimizers, (straight, gapped), (Tensor.contiguous, _as_it_is), strict=True):
            optimizer.step(_with_grads(closure_of(optimizer, params), params, turn, put))
        for one, other in zip(straight, gapped, strict=True):
            apart = (one - other).abs().max().item() if one.numel() else 0.0
            require(apart <= rounding, f"a gradient of other strides moves weights elsewhere, by {apart:.3g}")


def hides_no_nan(trial: Trial) -> None:
    """A gradient that is nan makes its weight nan, so that a broken run shows."""
    optimizer, params = trial.start(trial.shapes[:1])

    def closure() -> Any:
        loss = closure_of(optimizer, params)()
        grad_of(params[0]).view(-1)[0] = math.nan
        return loss

    optimizer.step(closure)
    to_evaluate(optimizer)
    require(not params[0].view(-1)[0].isfinite(), "a gradient of nan leaves its weight finite")


LAWS: Final[Sequence[Callable[[Trial], None]]] = (
    leaves_gradients_alone,
    idles_without_gradients,
    refuses_sparse_gradients,
    reads_any_strides,
    hides_no_nan,
)


def _no_gradients() -> Any:
    return torch.zeros(())


def _with_grads(
    closure: Callable[[], Any],
    params: Sequence[nn.Parameter],
    turn: Callable[[Tensor], Tensor],
    put: Callable[[Tensor], Tensor],
) -> Callable[[], Any]:
    """Let a closure leave its gradients as others."""

    def turned() -> Any:
        loss = closure()
        for param in params:
            param.grad = put(turn(grad_of(param)))
        return loss

    return turned


def _transposed(tensor: Tensor) -> Tensor:
    return tensor.mT.contiguous().mT if tensor.ndim >= 2 else tensor


def _expanded(tensor: Tensor) -> Tensor:
    return tensor[..., :1].expand_as(tensor) if tensor.ndim else tensor


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor
