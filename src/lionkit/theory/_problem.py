"""What a theorem is told of a training problem, and of the settings it is trained with."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from lionkit.theory._checks import require, require_count, require_not_negative, require_positive


@dataclass(frozen=True)
class Problem:
    r"""The constants of :math:`\min_\theta f(\theta)`, seen through noisy gradients.

    All are constants of the whole model as one vector, with Euclidean norms. Scaling the loss by a scales
    ``smoothness``, ``noise`` and ``gap`` by a; scaling the weights by b scales ``smoothness`` by
    :math:`b^{-2}` and ``noise`` by :math:`b^{-1}`.

    Attributes:
        dim: Number of weights :math:`d`, at least 1.
        smoothness: Lipschitz constant :math:`L` of the gradient, above 0, in loss per weight squared
            (Assumption 1).
        noise: Standard deviation :math:`\sigma` of a whole stochastic gradient, at least 0, in loss per weight:
            :math:`\mathbb E\|g - \nabla f\|_2^2 \le \sigma^2` (Assumption 3). It is a norm over all
            coordinates: equal noise :math:`s` in each of them makes it :math:`s\sqrt d`.
        gap: :math:`\Delta = f(\theta_1) - f^\star`, above 0, in loss; :math:`f^\star` is the least value over
            the box (a lower bound of f serves).

    Raises:
        ValueError: a constant is out of its range.

    Example:
        >>> from lionkit.theory import Problem
        >>> Problem(dim=1000, smoothness=2.0, noise=0.5, gap=8.0).averaged(25).noise
        0.1

    References:
        Dong, Li, Lin, "Convergence Rate Analysis of LION", arXiv 2411.07724, Assumptions 1 to 3.
    """

    dim: int
    smoothness: float
    noise: float
    gap: float

    def __post_init__(self) -> None:
        require_count("dim", self.dim)
        require_positive("smoothness", self.smoothness)
        require_not_negative("noise", self.noise)
        require_positive("gap", self.gap)

    @property
    def scale(self) -> float:
        r""":math:`\sqrt[4]{\sigma^2 L \Delta}`, in loss per weight: the unit of the rates (2) and of Corollary 3."""
        return math.sqrt(self.noise) * (self.smoothness * self.gap) ** 0.25

    def averaged(self, num_gradients: float) -> Problem:
        r"""Return the problem whose gradient is the mean of that many independent ones: :math:`\sigma / \sqrt n`."""
        require_positive("num_gradients", num_gradients)
        return replace(self, noise=self.noise / math.sqrt(num_gradients))


@dataclass(frozen=True)
class Settings:
    r"""The settings of a run, named as `lionkit.LionK` names them.

    Attributes:
        lr: Learning rate :math:`\eta`, above 0; for Lion in the unit of the weights.
        betas: :math:`(\beta_1, \beta_2)`, each in [0, 1).
        weight_decay: Decoupled decay :math:`\lambda`, at least 0, in 1 / weight, and ``lr * weight_decay`` at
            most 1: a condition of Theorem 2 (i) that the paper uses without stating it.

    Raises:
        ValueError: a setting is out of its range.

    Example:
        >>> from lionkit.theory import Settings
        >>> Settings(lr=0.1, betas=(0.9, 0.99), weight_decay=2.0).implicit_lr
        0.125
    """

    lr: float
    betas: tuple[float, float]
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        require_positive("lr", self.lr)
        require(len(self.betas) == 2, "betas", self.betas, "there must be two")
        for index, beta in enumerate(self.betas):
            require(0 <= beta < 1, f"betas[{index}]", beta, "it must be in [0, 1)")
        require_not_negative("weight_decay", self.weight_decay)
        shrink = self.lr * self.weight_decay
        require(shrink <= 1, "lr * weight_decay", shrink, "Theorem 2 (i) needs at most 1")

    @property
    def implicit_lr(self) -> float:
        r""":math:`\epsilon = \eta / (1 - \eta\lambda)`, with which a step that decays its *result* is the same step.

        :math:`\theta^+ = (1 - \eta\lambda)\theta - \eta u` is
        :math:`\theta^+ = \theta - \epsilon(u + \lambda\theta^+)`: the form that Lion-K's Lyapunov function is for.
        """
        shrink = self.lr * self.weight_decay
        require(shrink < 1, "lr * weight_decay", shrink, "the implicit form of the step needs less than 1")
        return self.lr / (1 - shrink)
