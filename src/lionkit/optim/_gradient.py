"""The gradient seat: which estimate of the gradient a step takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.random import fork_rng

from lionkit.optim._state import State

PREVIOUS_WEIGHTS = "previous_weights"


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step of a group has of its batch.

    Attributes:
        group: The parameter group.
        params: Those of its parameters that have a gradient; complex ones as they are.
        grads: Their gradients, only read.
        states: What the optimizer keeps of each.
        previous: The gradients on the same batch at the weights before the last step, of those that have one.
    """

    group: Mapping[str, Any]
    params: list[Tensor]
    grads: list[Tensor]
    states: list[dict[str, Any]]
    previous: Mapping[Tensor, Tensor] = field(default_factory=dict)

    def changes(self) -> list[Tensor]:
        """Return how the gradient on this batch has changed from the weights before to these; 0 where unknown."""
        pairs = zip(self.params, self.grads, strict=True)
        return [grad - self.previous.get(param, grad) for param, grad in pairs]

    def remember_weights(self) -> None:
        """Keep the weights, for the gradient at them in the next step."""
        for param, kept in zip(self.params, self.states, strict=True):
            if PREVIOUS_WEIGHTS not in kept:
                kept[PREVIOUS_WEIGHTS] = torch.empty_like(param, memory_format=torch.preserve_format)
            kept[PREVIOUS_WEIGHTS].copy_(param)


class GradientEstimate(ABC):
    """A rule that makes the gradient of a step from that of its minibatch; None in its seat is the minibatch's own.

    Members are frozen dataclasses: their ``repr`` is what a `state_dict` keeps. Whatever backend steps does so after
    them, and what they do themselves are passes of torch's own operators beside it.
    """

    state_names: ClassVar[tuple[str, ...]] = ()
    """The names of the tensors that the rule keeps of a parameter, of its shape."""

    @property
    def two_points(self) -> bool:
        """Whether the batch is evaluated at the previous weights too, which takes a closure."""
        return False

    @property
    def dense(self) -> bool:
        """Whether the rule itself writes to the momentum, which must be a plain tensor then."""
        return False

    @abstractmethod
    def before(self, batch: Batch) -> list[Tensor]:
        """Return the gradients that the step takes; new tensors, or those of the batch as they are."""

    def after(self, batch: Batch) -> None:  # noqa: B027  (most have nothing left to do)
        """Finish what the step itself leaves to do."""


def needs_closure(groups: Iterable[Mapping[str, Any]]) -> list[GradientEstimate]:
    """List the rules of the groups that need a second gradient."""
    return [group["gradient"] for group in groups if group["gradient"] is not None and group["gradient"].two_points]


def begins_still(groups: Iterable[Mapping[str, Any]], state: State) -> bool:
    """Whether a step only makes the state: `torch.distributed.checkpoint` takes such a one, of lr 0 and no closure."""
    return not state and not any(group["lr"] for group in groups)


@torch._disable_dynamo  # a compiled step meets generators and hooks here that torch 2.13 cannot trace
def previous_gradients(
    closure: Callable[[], Any], groups: Sequence[Mapping[str, Any]], state: State
) -> dict[Tensor, Tensor]:
    """Evaluate the closure at the weights before the last step, and put the present ones back.

    The random numbers that the closure draws are drawn again by the next one: dropout belongs to the batch.

    Args:
        closure: Evaluates the model, with gradients enabled.
        groups: The parameter groups; parameters of a rule with two points are moved, the others stand.
        state: The optimizer's.

    Returns:
        The gradients there; none before the second step.
    """
    two_points = (group["params"] for group in groups if needs_closure([group]))
    # One that was frozen since stands where it is: moved, it would change the gradients of all others for good.
    params = [
        param
        for param in chain.from_iterable(two_points)
        if param.requires_grad and PREVIOUS_WEIGHTS in state.get(param, {})
    ]
    if not params:
        return {}
    here = [param.detach().clone() for param in params]
    _put(params, [state[param][PREVIOUS_WEIGHTS] for param in params])
    try:
        with fork_rng({param.device.index for param in params if param.is_cuda}), torch.enable_grad():
            closure()
    finally:
        _put(params, here)
    found = {param: param.grad for param in params if param.grad is not None}
    for param in params:
        param.grad = None  # the tensors are kept here: a closure that clears by zeros must not reach them
    return found


@torch.no_grad()
def _put(params: list[Tensor], values: list[Tensor]) -> None:
    for param, value in zip(params, values, strict=True):
        param.copy_(value)
