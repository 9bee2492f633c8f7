"""MARS: a gradient scaled and shifted by how it has changed, and clipped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from lionkit.optim._gradient import PREVIOUS_WEIGHTS, Batch, GradientEstimate

PREVIOUS_GRADIENT = "previous_grad"


@final
@dataclass(frozen=True)
class MARS(GradientEstimate):
    r"""The gradient of MARS: the minibatch's, corrected by a part of its change, and clipped by its norm.

    .. math::
        c_k &= g_k + \gamma \frac{\beta_1}{1 - \beta_1} (g_k - g'_k) \\
        \tilde c_k &= c_k / \max(1, \|c_k\|_2 / r)

    :math:`g'_k` is the gradient of the last step (approximate), or that of the present batch at the weights of the
    last step (exact), by a closure that is evaluated twice. Before the first step it is 0 where approximate, as in
    the published code, and :math:`g_k` where exact, where that code has 0 too. The norm is that of each parameter.

    Args:
        gamma: How much of the change counts, at least 0; 0 leaves the clipping alone.
        exact: Evaluate the present batch at the previous weights.
        max_norm: The r above, above 0; infinity: no clipping.

    Raises:
        ValueError: ``gamma`` or ``max_norm`` is out of its range.

    Example:
        >>> import torch, lionkit
        >>> weight = torch.nn.Parameter(torch.ones(2))
        >>> optimizer = lionkit.LionK([weight], lr=0.1, gradient=lionkit.optim.MARS(gamma=0.1))

    References:
        Yuan et al., "MARS: Unleashing the Power of Variance Reduction for Training Large Models", arXiv 2411.10438,
        and its repository, AGI-Arena/MARS, read for the first step and the clipping.
    """

    gamma: float = 0.025
    exact: bool = False
    max_norm: float = 1.0

    state_names: ClassVar[tuple[str, ...]] = (PREVIOUS_GRADIENT, PREVIOUS_WEIGHTS)

    def __post_init__(self) -> None:
        if not 0 <= self.gamma < math.inf:
            raise ValueError(f"Invalid gamma: {self.gamma}, it must be finite and at least 0")
        if not self.max_norm > 0:
            raise ValueError(f"Invalid max_norm: {self.max_norm}, it must be above 0")
        for name, kind in (("gamma", float), ("exact", bool), ("max_norm", float)):  # equal rules have one repr
            object.__setattr__(self, name, kind(getattr(self, name)))

    @property
    def two_points(self) -> bool:
        """Whether it is exact."""
        return self.exact

    def before(self, batch: Batch) -> list[Tensor]:
        """Return the corrected and clipped gradients."""
        beta1 = batch.group["betas"][0]
        changes = batch.changes() if self.exact else _changes_since_last_step(batch)
        if self.exact:
            batch.remember_weights()
        scale = self.gamma * beta1 / (1 - beta1)
        pairs = zip(batch.grads, changes, strict=True)
        return [self._clipped(torch.add(grad, change, alpha=scale)) for grad, change in pairs]

    def _clipped(self, c: Tensor) -> Tensor:
        if self.max_norm == math.inf:
            return c
        norm = torch.linalg.vector_norm(c, dtype=torch.promote_types(c.dtype, torch.float32))
        return c / (norm / self.max_norm).clamp(min=1).to(c.dtype)


def _changes_since_last_step(batch: Batch) -> list[Tensor]:
    changes = []
    for grad, kept in zip(batch.grads, batch.states, strict=True):
        if PREVIOUS_GRADIENT not in kept:
            kept[PREVIOUS_GRADIENT] = torch.zeros_like(grad)
        changes.append(grad - kept[PREVIOUS_GRADIENT])
        kept[PREVIOUS_GRADIENT].copy_(grad)
    return changes
