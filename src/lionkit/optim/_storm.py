"""STORM: a momentum that is carried along as the weights move, by two gradients on one batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from lionkit.momentum import DENSE
from lionkit.optim._gradient import PREVIOUS_WEIGHTS, Batch, GradientEstimate


@final
@dataclass(frozen=True)
class STORM(GradientEstimate):
    r"""Stochastic recursive momentum: what the momentum remembers is moved from the old weights to the new.

    .. math::
        m_k = \beta_2 m_{k-1} + (1 - \beta_2)\, g(x_k; \xi_k) + \beta_2 \bigl(g(x_k; \xi_k) - g(x_{k-1}; \xi_k)\bigr)

    Both gradients are of the present batch, so that `LionK.step` needs a closure, which is evaluated twice (once in
    the first step). The direction c is made of the momentum before and the plain gradient. The momentum must be
    dense.

    References:
        Cutkosky, Orabona, "Momentum-Based Variance Reduction in Non-Convex SGD", arXiv 1905.10018.
        Jiang, Zhang, arXiv 2508.12327, whose betas are the weights of the new gradient: 1 minus these.
    """

    state_names: ClassVar[tuple[str, ...]] = (PREVIOUS_WEIGHTS,)

    @property
    def two_points(self) -> bool:
        """Always."""
        return True

    @property
    def dense(self) -> bool:
        """Always."""
        return True

    def before(self, batch: Batch) -> list[Tensor]:
        """Return the gradients as they are."""
        batch.remember_weights()
        return batch.grads

    def after(self, batch: Batch) -> None:
        """Add what the change of the gradient has left the momentum behind by."""
        weight = batch.group["betas"][1] * (-1 if batch.group["maximize"] else 1)
        for kept, change in zip(batch.states, batch.changes(), strict=True):
            torch.add(kept[DENSE], change.to(kept[DENSE].dtype), alpha=weight, out=kept[DENSE])
