"""The contract of an optimizer: that of `torch.optim`, and what this library adds."""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lionkit.testing._checks import Report, generator, require, require_same, run

Make = Callable[[list[nn.Parameter]], Optimizer]
SHAPES: Sequence[tuple[int, ...]] = ((5, 3), (7,), (2, 3, 2, 2), ())


def check_optimizer(make: Make, *, shapes: Sequence[tuple[int, ...]] = SHAPES) -> Report:
    """Check that an optimizer keeps torch's contract.

    It never writes to gradients, leaves what has none alone, returns what its closure does, refuses sparse gradients
    before anything is written, reads strides and groups right, goes on to the bit after a save that ``weights_only``
    loads, after a copy and after pickling, descends, and hides no nan.

    Args:
        make: Builds it on parameters. Not by defaults: take a weight decay above 0, and an lr at which 60 steps on half
            the squared distance to a point lower the loss.
        shapes: Of the parameters, those that it is for; the first is that of a matrix.

    Returns:
        The names of the checks.

    Raises:
        AssertionError: with all that does not hold.

    Example:
        >>> import torch, lionkit
        >>> from lionkit import testing
        >>> report = testing.check_optimizer(lambda params: lionkit.Lion(params, lr=0.01, weight_decay=0.1))
        >>> len(report.passed)
        11
    """
    name = type(make(_parameters(shapes))).__name__
    return run(name, [partial(check, make, shapes) for check in _CHECKS])


def descends(make: Make, shapes: Sequence[tuple[int, ...]]) -> None:
    """The loss falls."""
    params = _parameters(shapes)
    losses = _steps(make(params), params, 60)
    require(losses[-1] < losses[0], f"the loss went from {losses[0]:.4g} to {losses[-1]:.4g}")


def leaves_gradients_alone(make: Make, shapes: Sequence[tuple[int, ...]]) -> None:
    """A gradient is the same object, at the same place, of the same version and numbers."""
    params = _parameters(shapes)
    optimizer, evaluated = make(params), []

    def closure() -> Any:
        loss = _closure(optimizer, params)()
        evaluated[:] = [(p.grad, _grad(p).clone(), _grad(p)._version, _grad(p).data_ptr()) for p in params]
        return loss

    for _ in range(3):
        optimizer.step(closure)
        for param, (grad, value, version, address) in zip(params, evaluated, strict=True):
            require(param.grad is grad, "a gradient is another tensor after the step")
            require(
                _grad(param)._version == version and _grad(param).data_ptr() == address, "a gradient was written to"
            )
            require_same(_grad(param), value, "a gradient after the step")


def idles_without_gradients(make: Make, shapes: Sequence[tuple[int, ...]]) -> None:
    """A parameter without a gradient is left alone, its state too."""
    params = _parameters(shapes)
    optimizer, still = make(params), params[0]
    before = still.detach().clone()
    for _ in range(2):
        optimizer.step(_closure(optimizer, params[1:]) if params[1:] else _nothing)
    require_same(still.detach(), before, "a parameter without a gradient")
    require(not optimizer.state.get(still), "there is a state for a parameter without a gradient")


def returns_the_closures_loss(make: Make, shapes: Sequence[tuple[int, ...]]) -> None:
    """With gradients enabled inside, and the mode around as before."""
    params = _parameters(shapes)
    optimizer, seen = make(params), []

    def closure() -> Any:
        seen.append(torch.is_grad_enabled())
        return _closure(optimizer, params)()

    with torch.no_grad():
        expected = _loss(params)
        loss: Any = optimizer.step(closure)
        require(not torch.is_grad_enabled(), "gradients are enabled after the step, and were not before")
    require(all(seen) and bool(seen), "the closure was not called, or with gradients disabled")
    require_same(loss.detach(), expected, "the loss of the closure")


def refuses_sparse_gradients(make: Make, shapes: Sequence[tuple[int, ...]]) -> None:
    """Before anything is written."""
    params = _parameters(shapes[:1])
    optimizer, before = make(params), params[0].detach().clone()

    def closure() -> Any:
        params[0].grad = torch.ones_like(params[0]).to_sparse()
        return torch.zeros(())

    try:
        optimizer.step(closure)
    except RuntimeError:
        require_same(params[0].detach(), before, "a parameter with a refused gradient")
    else:
        raise AssertionError("a sparse gradient is not refused by a RuntimeError")


def keeps_groups_apart(make: Make, shapes: Sequence[tuple[int, ...]]) -> None:
    """A group with an lr of 0 stands still."""
    params = _parameters([shapes[0], shapes[0]])
    optimizer = make(params[:1])
    optimizer.add_param_group({"params": params[1:]})
    optimizer.param_groups[1]["lr"] = 0.0
    before = [param.detach().clone() for param in params]
    _steps(optimizer, params, 2)
    require_same(params[1].detach(), before[1], "a group with an lr of 0")
    require(not torch.equal(params[0].detach(), before[0]), "the other group stands still")


def reads_any_strides(make: Make, shapes: Sequence[tuple[int, ...]]) -> None:
    """A transposed gradient is the gradient; up to rounding."""
    straight, strided = _parameters(shapes[:1]), _parameters(shapes[:1])
    optimizers = make(straight), make(strided)

    def closure() -> Any:
        loss = _closure(optimizers[1], strided)()
        strided[0].grad = _grad(strided[0]).mT.contiguous().mT
        return loss

    for _ in range(3):
        optimizers[0].step(_closure(optimizers[0], straight))
        optimizers[1].step(closure)
    apart = (straight[0] - strided[0]).abs().max().item()
    require(apart <= 1e-6, f"a gradient of other strides moves weights elsewhere, by {apart:.3g}")


def resumes_to_the_bit(make: Make, shapes: Sequence[tuple[int, ...]]) -> None:
    """After a state_dict in a file that `weights_only` loads; saving and loading change nothing."""
    params = _parameters(shapes)
    optimizer = make(params)
    _steps(optimizer, params, 3)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    others = [nn.Parameter(param.detach().clone()) for param in params]
    resumed = make(others)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    _continue_together(optimizer, params, resumed, others)


def copies_to_the_bit(make: Make, shapes: Sequence[tuple[int, ...]]) -> None:
    """By deepcopy and by pickle."""
    for copy in (deepcopy, _pickled):
        params = _parameters(shapes)
        optimizer = make(params)
        _steps(optimizer, params, 3)
        copied, others = copy((optimizer, params))
        _continue_together(optimizer, params, copied, others)


def goes_by_a_changed_lr(make: Make, shapes: Sequence[tuple[int, ...]]) -> None:
    """As a scheduler changes it: with 0 nothing moves."""
    params = _parameters(shapes)
    optimizer = make(params)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: float(step < 1))
    _steps(optimizer, params, 1)
    scheduler.step()
    _evaluate(optimizer)
    before = [param.detach().clone() for param in params]
    _train(optimizer)
    _steps(optimizer, params, 1)
    _evaluate(optimizer)
    for param, value in zip(params, before, strict=True):
        require_same(param.detach(), value, "a parameter after a step of lr 0")


def hides_no_nan(make: Make, shapes: Sequence[tuple[int, ...]]) -> None:
    """A gradient that is nan makes its weight nan, so that a broken run shows."""
    params = _parameters(shapes[:1])
    optimizer = make(params)

    def closure() -> Any:
        loss = _closure(optimizer, params)()
        _grad(params[0]).view(-1)[0] = math.nan
        return loss

    optimizer.step(closure)
    _evaluate(optimizer)
    require(not params[0].view(-1)[0].isfinite(), "a gradient of nan leaves its weight finite")


_CHECKS = (
    descends,
    leaves_gradients_alone,
    idles_without_gradients,
    returns_the_closures_loss,
    refuses_sparse_gradients,
    keeps_groups_apart,
    reads_any_strides,
    resumes_to_the_bit,
    copies_to_the_bit,
    goes_by_a_changed_lr,
    hides_no_nan,
)


def _parameters(shapes: Sequence[tuple[int, ...]]) -> list[nn.Parameter]:
    source = generator(1)
    return [nn.Parameter(torch.randn(shape, generator=source)) for shape in shapes]


def _loss(params: list[nn.Parameter]) -> Tensor:
    """Half the squared distance to a point, steeper along some coordinates than along others."""
    source, total = generator(2), torch.zeros(())
    for param in params:
        target, steepness = torch.randn((2, *param.shape), generator=source)
        total = total + (steepness.exp() * (param - 0.3 * target).square()).sum() / 2
    return total


def _closure(optimizer: Optimizer, params: list[nn.Parameter]) -> Callable[[], Any]:
    def closure() -> Any:
        optimizer.zero_grad()
        loss = _loss(params)
        loss.backward()
        return loss

    return closure


def _steps(optimizer: Optimizer, params: list[nn.Parameter], count: int) -> list[float]:
    losses: list[Any] = [optimizer.step(_closure(optimizer, params)) for _ in range(count)]
    return [loss.item() for loss in losses]


def _continue_together(first: Optimizer, params: list[nn.Parameter], second: Optimizer, others: Any) -> None:
    _steps(first, params, 3)
    _steps(second, others, 3)
    for number, (param, other) in enumerate(zip(params, others, strict=True)):
        require_same(param.detach(), other.detach(), f"parameter {number}, three steps later")
        for name, kept in first.state[param].items():
            if isinstance(kept, Tensor):
                require_same(kept, second.state[other][name], f"{name} of parameter {number}, three steps later")


def _nothing() -> Any:
    return torch.zeros(())


def _pickled(pair: tuple[Optimizer, list[nn.Parameter]]) -> tuple[Optimizer, list[nn.Parameter]]:
    return pickle.loads(pickle.dumps(pair))


def _grad(param: nn.Parameter) -> Tensor:
    require(param.grad is not None, "the gradient is gone")
    return param.grad  # type: ignore[return-value]


def _evaluate(optimizer: Optimizer) -> None:
    """Put the weights to evaluate in place, where an optimizer has others between its steps."""
    getattr(optimizer, "eval", lambda: None)()


def _train(optimizer: Optimizer) -> None:
    getattr(optimizer, "train", lambda: None)()
