"""Lion-K's Lyapunov function: what falls, step by step, once the weights are in the constraint set."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lionkit.kappa import Kappa
from lionkit.theory._checks import require, require_same_shapes
from lionkit.theory._conjugate import conjugate_inside, domain_holds
from lionkit.theory._problem import Settings
from lionkit.theory._result import parts_table


@dataclass(frozen=True)
class Energy:
    r"""The Lyapunov function H, term by term; ``print`` it for a table.

    Attributes:
        loss: :math:`f(\theta)`, times :math:`\alpha` along the flow.
        penalty: :math:`\frac1\lambda\kappa^*(-\lambda\theta)`, times :math:`\gamma` along the flow: the constraint or
            regulariser. 0 inside of the set where kappa is a norm, infinite outside; 0 without decay.
        misalignment: A multiple of :math:`\kappa^*(-\lambda\theta) + \kappa(m) + \lambda\langle\theta, m\rangle`, at
            least 0: how far the momentum is from agreeing with where the weights stand.
    """

    loss: float
    penalty: float
    misalignment: float

    @property
    def total(self) -> float:
        """H itself."""
        return self.loss + self.penalty + self.misalignment

    def __str__(self) -> str:
        return parts_table("Lyapunov function H", vars(self), self.total)


def energy(loss: float, theta: Tensor, momentum: Tensor, kappa: Kappa, settings: Settings) -> Energy:
    r"""The Lyapunov function of the discrete step, in phase 2.

    .. math::
        H &= f(\theta) + \tfrac1\lambda\kappa^*(-\lambda\theta)
             + c\,\big(\kappa^*(-\lambda\theta) + \kappa(m) + \lambda\langle\theta, m\rangle\big) \\
        c &= \epsilon\beta_1 / D, \qquad D = \epsilon\lambda(1 - \beta_1) + 1 - \beta_2,
             \qquad \epsilon = \eta / (1 - \eta\lambda)

    The analysis is of a step that decays its result; the step of the optimizers, which decays the weights it
    starts from, is the same step with :math:`\epsilon` for the learning rate. (In the Lion-K papers m averages
    *negative* gradients: their signs of m differ.)

    Args:
        loss: :math:`f(\theta)`.
        theta: The weights, real, any shape.
        momentum: :math:`m` after the step that led to theta, of the same shape.
        kappa: The geometry.
        settings: ``betas[0]`` at most ``betas[1]``, ``lr * weight_decay`` below 1.

    Returns:
        The terms of H, in loss; computed in float64.

    Raises:
        ValueError: betas in the other order, ``lr * weight_decay`` of 1, or shapes that differ.

    Example:
        >>> import torch
        >>> from lionkit.kappa import L1
        >>> from lionkit.theory import Settings, energy
        >>> settings = Settings(lr=0.1, betas=(0.5, 0.5), weight_decay=0.5)
        >>> print(energy(3.0, torch.tensor([1.0, 0.5]), torch.tensor([-1.0, 2.0]), L1(), settings))
        Lyapunov function H
          loss             3
          penalty          0
          misalignment   0.3
          total          3.3

    References:
        Chen, Liu, Liang, Liu, "Lion Secretly Solves Constrained Optimization: As Lyapunov Predicts",
        arXiv 2310.05898, Theorem 4.1. Its text was not at hand: derived anew and checked numerically, so that its
        constants may be scaled differently there.
    """
    require_same_shapes(theta=theta, momentum=momentum)
    scale, _ = coefficients(settings)
    theta, momentum = theta.double(), momentum.double()
    return energy_terms(loss, theta, momentum, kappa, settings.weight_decay, 1.0, scale)


@torch.no_grad()
def energy_terms(
    loss: float, theta: Tensor, momentum: Tensor, kappa: Kappa, weight_decay: float, penalty: float, scale: float
) -> Energy:
    """Return loss + penalty / decay * conjugate + scale * misalignment: the form of both Lyapunov functions."""
    y = -weight_decay * theta
    inside = domain_holds(kappa, y)
    conjugate = conjugate_inside(kappa, y).item() if inside else math.inf
    gap = conjugate + kappa.value(momentum).item() - inner(y, momentum)
    return Energy(
        loss=float(loss),
        penalty=penalty / weight_decay * conjugate if weight_decay else 0.0,
        misalignment=scale * gap if scale else 0.0,
    )


def inner(a: Tensor, b: Tensor) -> float:
    """Return the inner product over all coordinates."""
    return torch.sum(a * b).item()


def coefficients(settings: Settings) -> tuple[float, float]:
    """Return c, the weight of the misalignment, and a, that of the alignment."""
    beta1, beta2 = settings.betas
    require(beta1 <= beta2, "betas", settings.betas, "the Lyapunov function needs betas[0] <= betas[1]")
    shrink = settings.implicit_lr * settings.weight_decay
    denominator = shrink * (1 - beta1) + 1 - beta2
    return settings.implicit_lr * beta1 / denominator, (shrink + 1 - beta2) / denominator
