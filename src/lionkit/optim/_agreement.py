"""The agreement seat: who decides the direction of a step, this process or several."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from lionkit.kappa import HalfSquaredL2, Kappa
from lionkit.optim._state import Operands, State, compensations_of, operands
from lionkit.optim._step import step_group


class Agreement(ABC):
    """Workers that decide a direction together; None in its seat: this process decides alone.

    The direction is decided before a step, and stands in the place of the gradient when it is taken: the momenta
    have moved on by then. `lionkit.distributed.agree` fills the seat.
    """

    @abstractmethod
    def claim(self, params: Sequence[Tensor]) -> None:
        """Take it that the gradients of these parameters are what was agreed, for this step alone.

        Raises:
            RuntimeError: nothing was agreed on one of them.
        """


def directions_of(
    group: Mapping[str, Any],
    params: list[Tensor],
    grads: list[Tensor],
    state: State,
    out: list[Tensor],
    *,
    kappa: Kappa,
) -> None:
    """Take the momenta of some parameters a step on, and write the directions that a kappa makes of them.

    A step by an lr of -1 from 0, without decay, *is* the direction: whatever the momentum is kept as, it is computed
    where every other step is.

    Args:
        group: The parameter group, only read; by its seed and its count of steps codes are rounded.
        params: Some of its parameters, real ones; only their shape and their state count.
        grads: Their gradients.
        state: The optimizer's.
        out: Zeros of the shapes of the gradients; the directions are written to them.
        kappa: The geometry.
    """
    given = replace(operands(group, params, grads, state, None), params=out, compensations=())
    settings = {"kappa": kappa, "lr": -1.0, "weight_decay": 0.0, "weight_decay_mode": "lr"}
    step_group({**group, **settings, "weight_rounding": "nearest"}, given)


def step_agreed(group: dict[str, Any], params: list[Tensor], agreed: list[Tensor], state: State) -> None:
    """Move the weights along what was agreed, with the group's decay; the momenta stand.

    With betas (0, 1) the direction is the gradient itself and a momentum stays what it is, so that the gradient can
    be its own: nothing else is read.
    """
    group["agreement"].claim(params)
    given = Operands(params, agreed, agreed, (), compensations_of(group, params, [state[param] for param in params]))
    step_group({**group, "kappa": HalfSquaredL2(), "betas": (0.0, 1.0), "maximize": False}, given)
    group["noise_step"] += 1


def refuse_what_looks_at_gradients(
    groups: Sequence[Mapping[str, Any]], grad_scale: Tensor | None, observed: bool
) -> None:
    """Raise where something would take what was agreed for a gradient.

    Raises:
        RuntimeError: a `GradScaler` would unscale it, or an observation measure it.
    """
    if torch.compiler.is_compiling() or all(group["agreement"] is None for group in groups):
        return
    if grad_scale is not None:
        raise RuntimeError("a GradScaler with an agreement: the votes are on scaled gradients; use bfloat16 instead")
    if observed:
        raise RuntimeError("observe() with an agreement: the directions that were agreed are no gradients to measure")
