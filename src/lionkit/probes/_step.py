"""What a step says about itself: the theory's quantities of a minibatch, from the sums of one pass over memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from lionkit.kernels import SUMS, merge


@dataclass(frozen=True)
class Statistics:
    r"""What one step saw, of a parameter group or of all: before it wrote, over all coordinates that had a gradient.

    :math:`g` is the gradient that the step used (unscaled, negated with ``maximize``), :math:`m` the old
    momentum, :math:`c = \beta_1 m + (1 - \beta_1) g` the direction's argument, :math:`\theta` the old weights,
    :math:`\lambda` the decay. Compared with `Quantities`, which look at the full gradient, these are noisy and free.

    Attributes:
        grad_l1: :math:`\|g\|_1`, in loss per weight, as are all l1 norms here.
        grad_sq: :math:`\|g\|_2^2`.
        c_l1: :math:`\|c\|_1`.
        theta_c: :math:`\langle\theta, c\rangle`, in loss.
        theta_m: :math:`\langle\theta, m\rangle`, in loss.
        momentum_l1: :math:`\|m\|_1`.
        theta_max: :math:`\|\theta\|_\infty`, in the weights' unit.
        num_zero: How many coordinates have :math:`c = 0`: Lion leaves them to the decay.
        num_agree: How many have :math:`\operatorname{sign}(c) = \operatorname{sign}(g)`, both non-zero.
        num_on_box: How many have :math:`\lambda|\theta_i| \ge 1 - 10^{-3}`; 0 without decay.
        c_min: The smallest non-zero :math:`|c_i|`, in loss per weight; infinite where all are 0.
        numel: Number of coordinates d.
        kkt_residual: :math:`\|c\|_1 + \lambda\langle\theta, c\rangle`, the stochastic KKT residual. Inside the box it
            is at least 0; outside it may be negative. Of several groups: the sum, each with its own decay.

    References:
        Dong, Li, Lin, "Convergence Rate Analysis of LION", arXiv 2411.07724: equation (8), Lemma 1, Theorem 2 (i).
    """

    grad_l1: float
    grad_sq: float
    c_l1: float
    theta_c: float
    theta_m: float
    momentum_l1: float
    theta_max: float
    num_zero: int
    num_agree: int
    num_on_box: int
    c_min: float
    numel: int
    kkt_residual: float

    @property
    def grad_l2(self) -> float:
        r"""The gradient's size :math:`\|g\|_2`, in loss per weight."""
        return math.sqrt(self.grad_sq)

    @property
    def ratio(self) -> float:
        r"""The norm ratio :math:`r = \|g\|_1 / \|g\|_2`, from 1 to :math:`\sqrt d`; nan for a zero gradient."""
        return self.grad_l1 / self.grad_l2 if self.grad_sq else math.nan

    @property
    def ratio_over_sqrt_dim(self) -> float:
        r""":math:`r / \sqrt d`, at most 1; :math:`\sqrt{2/\pi} \approx 0.798` for Gaussian coordinates."""
        return self.ratio / math.sqrt(self.numel) if self.numel else math.nan

    @property
    def saturation(self) -> float:
        """The share of coordinates on the box, from 0 to 1."""
        return self._share(self.num_on_box)

    @property
    def zero_share(self) -> float:
        """The share of coordinates that the sign does not move, from 0 to 1."""
        return self._share(self.num_zero)

    @property
    def agreement_share(self) -> float:
        """The share of coordinates whose step follows the sign of this gradient, from 0 to 1."""
        return self._share(self.num_agree)

    @property
    def tau(self) -> float:
        r"""The smallest non-zero :math:`|c_i|` of the stability theory: noise below it flips no sign."""
        return self.c_min

    def _share(self, count: int) -> float:
        return count / self.numel if self.numel else 0.0


@dataclass(frozen=True)
class StepStatistics:
    """What an observed step said.

    Attributes:
        step: How many steps the optimizer has taken since the observation began, this one included.
        groups: The statistics of each parameter group; None where no parameter had a gradient.
        total: Of all groups taken together.
    """

    step: int
    groups: tuple[Statistics | None, ...]
    total: Statistics


def summarise(step: int, sums: Sequence[Tensor | None], weight_decays: Sequence[float]) -> StepStatistics:
    """Name the sums of a step.

    Args:
        step: Its number.
        sums: One a group: float64 tensors of shape [len(SUMS)] in the kernel's order, or None.
        weight_decays: One a group.
    """
    groups = tuple(
        None if part is None else _named(part, _residual(part, decay))
        for part, decay in zip(sums, weight_decays, strict=True)
    )
    residual = math.fsum(group.kkt_residual for group in groups if group is not None)
    return StepStatistics(step, groups, _named(merge(part for part in sums if part is not None), residual))


def _residual(sums: Tensor, weight_decay: float) -> float:
    c_l1, theta_c = (sums[SUMS.index(name)].item() for name in ("c_l1", "theta_c"))
    return c_l1 + (weight_decay * theta_c if weight_decay else 0.0)  # or infinite weights would make it nan


def _named(sums: Tensor, kkt_residual: float) -> Statistics:
    values = dict(zip(SUMS, sums.tolist(), strict=True))
    counts = {name: int(value) for name, value in values.items() if name.startswith("num")}
    return Statistics(**{**values, **counts}, kkt_residual=kkt_residual)
