"""The laws of a step; each raises where the optimizer of a trial breaks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch

from lionkit.testing._checks import require, require_same
from lionkit.testing._trial import Trial, closure_of, loss_of, take_steps, to_evaluate, to_train, values_of


def descends(trial: Trial) -> None:
    """The loss falls."""
    losses = take_steps(*trial.start(), 60)
    require(losses[-1] < losses[0], f"the loss went from {losses[0]:.4g} to {losses[-1]:.4g}")


def returns_the_closures_loss(trial: Trial) -> None:
    """With gradients enabled inside, and the mode around as before; what a closure raises comes through."""
    optimizer, params = trial.start()
    seen = []

    def closure() -> Any:
        seen.append(torch.is_grad_enabled())
        return closure_of(optimizer, params)()

    with torch.no_grad():
        expected = loss_of(params)
        loss: Any = optimizer.step(closure)
        require(not torch.is_grad_enabled(), "gradients are enabled after the step, and were not before")
    require(all(seen) and bool(seen), "the closure was not called, or with gradients disabled")
    require_same(loss.detach(), expected, "the loss of the closure")
    try:
        optimizer.step(lambda: 1 // 0)
    except ZeroDivisionError:
        require(torch.is_grad_enabled(), "gradients are disabled after an error in the closure")
    else:
        raise AssertionError("an error in the closure is hidden")


def keeps_groups_apart(trial: Trial) -> None:
    """A group with an lr of 0 stands still."""
    params = trial.parameters([trial.shapes[0], trial.shapes[0]])
    optimizer = trial.make(params[:1])
    optimizer.add_param_group({"params": params[1:]})
    optimizer.param_groups[1]["lr"] = 0.0
    before = values_of(params)
    take_steps(optimizer, params, 2)
    require_same(params[1].detach(), before[1], "a group with an lr of 0")
    require(not torch.equal(params[0].detach(), before[0]), "the other group stands still")


def goes_by_a_changed_lr(trial: Trial) -> None:
    """As a scheduler changes it: with 0 nothing moves."""
    optimizer, params = trial.start()
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: float(step < 1))
    take_steps(optimizer, params, 1)
    scheduler.step()
    to_evaluate(optimizer)
    before = values_of(params)
    to_train(optimizer)
    take_steps(optimizer, params, 1)
    to_evaluate(optimizer)
    for param, value in zip(params, before, strict=True):
        require_same(param.detach(), value, "a parameter after a step of lr 0")


LAWS: Final[Sequence[Callable[[Trial], None]]] = (
    descends,
    returns_the_closures_loss,
    keeps_groups_apart,
    goes_by_a_changed_lr,
)
