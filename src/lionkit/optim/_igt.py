"""Implicit gradient transport: a gradient at a point ahead, so that an average of old ones is that of today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, final

import torch
from torch import Tensor

from lionkit.optim._gradient import Batch, GradientEstimate
from lionkit.optim._state import State

WEIGHTS = "weights"
EXTRAPOLATED = "extrapolated_weights"


@final
@dataclass(frozen=True)
class IGT(GradientEstimate):
    r"""Implicit gradient transport: between the steps the model holds a point ahead of its weights.

    .. math::
        y_k = x_k + \frac{\beta_2}{1 - \beta_2} (x_k - x_{k-1}), \qquad m_k = \beta_2 m_{k-1} + (1 - \beta_2)\,
        g(y_k; \xi_k)

    For a quadratic without noise, :math:`m_0 = g_1` and :math:`\beta_1 = \beta_2` the momentum is exactly the
    gradient at :math:`x_k`; elsewhere its bias is of second order. The weights to evaluate, save or hand on are
    :math:`x_k`: call `LionK.eval` first, and `LionK.train` before the next step. One of the two points is in the
    model and the other in the state, under its name.

    References:
        Arnold et al., "Reducing the variance in online optimization by transporting past gradients", arXiv
        1906.03532. Cutkosky, Mehta, "Momentum Improves Normalized SGD", arXiv 2002.03305, the algorithm NIGT.
    """

    state_names: ClassVar[tuple[str, ...]] = (WEIGHTS, EXTRAPOLATED)

    def before(self, batch: Batch) -> list[Tensor]:
        """Put the weights back in the place of the point ahead."""
        for param, kept in zip(batch.params, batch.states, strict=True):
            if WEIGHTS in kept:
                param.copy_(kept[WEIGHTS])
            else:
                kept[WEIGHTS] = torch.clone(param, memory_format=torch.preserve_format)
        return batch.grads

    def after(self, batch: Batch) -> None:
        """Keep the new weights and look ahead of them."""
        reach = 1 / (1 - batch.group["betas"][1])
        for param, kept in zip(batch.params, batch.states, strict=True):
            ahead = torch.lerp(kept[WEIGHTS].to(param.dtype), param, reach)  # another dtype's, where loaded
            kept[WEIGHTS].copy_(param)
            param.copy_(ahead)


def to_evaluate(groups: Iterable[Mapping[str, Any]], state: State) -> None:
    """Put the weights in place wherever a point ahead of them is."""
    _swap(groups, state, WEIGHTS, EXTRAPOLATED)


def to_train(groups: Iterable[Mapping[str, Any]], state: State) -> None:
    """Put the point ahead in place wherever the weights are."""
    _swap(groups, state, EXTRAPOLATED, WEIGHTS)


def check_trains(groups: Iterable[Mapping[str, Any]], state: State) -> None:
    """Raise where a step would take a gradient at the weights for one at the point ahead.

    Raises:
        RuntimeError: `to_evaluate` was called after `to_train`.
    """
    params = (param for group in groups if isinstance(group["gradient"], IGT) for param in group["params"])
    if any(EXTRAPOLATED in state.get(param, {}) for param in params):
        raise RuntimeError("step() after eval(): call train() first, so that gradients are taken ahead of the weights")


@torch.no_grad()
def _swap(groups: Iterable[Mapping[str, Any]], state: State, put: str, keep: str) -> None:
    for param in chain.from_iterable(group["params"] for group in groups):
        kept = state.get(param, {})
        if put in kept:
            held = torch.clone(param, memory_format=torch.preserve_format)
            param.copy_(kept.pop(put))
            kept[keep] = held
