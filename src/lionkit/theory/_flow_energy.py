"""Lion-K's Lyapunov function in continuous time: it falls along the flow, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lionkit.kappa import Kappa
from lionkit.theory._checks import require_same_shapes
from lionkit.theory._conjugate import conjugate_gradient
from lionkit.theory._energy import Energy, energy_terms, inner
from lionkit.theory._flow import FlowSettings, velocity
from lionkit.theory._result import parts_table


@dataclass(frozen=True)
class FlowDecrease:
    """How fast H falls along the flow, exactly: dH/dt is ``rate``; ``print`` it for a table.

    Attributes:
        alignment: At least 0; how far the direction is from agreeing with the weights: 0 at a KKT point.
        look_ahead: At least 0; how far the direction is from the momentum. 0 without look-ahead.
    """

    alignment: float
    look_ahead: float

    @property
    def rate(self) -> float:
        """The derivative of H in time, at most 0."""
        return -self.alignment - self.look_ahead

    def __str__(self) -> str:
        return parts_table("dH/dt = - alignment - look_ahead", vars(self), self.rate)


def flow_energy(loss: float, theta: Tensor, momentum: Tensor, kappa: Kappa, settings: FlowSettings) -> Energy:
    r"""The Lyapunov function of the flow, in phase 2.

    .. math::
        H = \alpha f(\theta) + \frac\gamma\lambda\kappa^*(-\lambda\theta)
        + \frac{1-\varepsilon\gamma}{1+\varepsilon\lambda}
        \big(\kappa^*(-\lambda\theta) + \kappa(m) + \lambda\langle\theta, m\rangle\big)

    Args:
        loss: :math:`f(\theta)`.
        theta: The weights, real, any shape.
        momentum: The momentum, of the same shape.
        kappa: The geometry.
        settings: The constants of the flow.

    Returns:
        The terms of H, in loss per time; computed in float64.

    Raises:
        ValueError: shapes that differ.

    Example:
        >>> import torch
        >>> from lionkit.kappa import HalfSquaredL2
        >>> from lionkit.theory import FlowSettings, flow_energy
        >>> theta, momentum = torch.tensor([1.0]), torch.tensor([3.0])
        >>> flow_energy(0.5, theta, momentum, HalfSquaredL2(), FlowSettings(weight_decay=1.0)).total
        9.0

    References:
        Chen, Liu, Liang, Liu, arXiv 2310.05898, Theorem 3.1. Its text was not at hand: derived anew and
        checked numerically.
    """
    require_same_shapes(theta=theta, momentum=momentum)
    scale = (1 - settings.epsilon * settings.gamma) / (1 + settings.epsilon * settings.weight_decay)
    loss = settings.alpha * float(loss)
    return energy_terms(loss, theta.double(), momentum.double(), kappa, settings.weight_decay, settings.gamma, scale)


@torch.no_grad()
def flow_decrease(
    theta: Tensor, momentum: Tensor, gradient: Tensor, kappa: Kappa, settings: FlowSettings
) -> FlowDecrease:
    r"""How fast `flow_energy` falls: the closed form of its derivative along the flow.

    .. math::
        \dot H = -\frac{\lambda+\gamma}{1+\varepsilon\lambda}\langle\nabla\kappa(c) - y, c - \nabla\kappa^*(y)\rangle
        - \frac{1-\varepsilon\gamma}{\varepsilon(1+\varepsilon\lambda)}
        \langle\nabla\kappa(c) - \nabla\kappa(m), c - m\rangle

    with :math:`y = -\lambda\theta`. As :math:`c - m = \varepsilon\dot m`, the second term is 0 without look-ahead.

    Args:
        theta: The weights, inside of the constraint set (phase 2), real, any shape.
        momentum: The momentum, of the same shape.
        gradient: :math:`\nabla f(\theta)`.
        kappa: The geometry.
        settings: The constants of the flow.

    Returns:
        The two terms, in loss per time squared; computed in float64.

    Raises:
        ValueError: shapes that differ.

    Example:
        >>> import torch
        >>> from lionkit.kappa import HalfSquaredL2
        >>> from lionkit.theory import FlowSettings, flow_decrease
        >>> theta = gradient = torch.tensor([1.0])  # f = theta^2 / 2
        >>> settings = FlowSettings(weight_decay=1.0, gamma=0.5, epsilon=1.0)
        >>> flow_decrease(theta, torch.tensor([3.0]), gradient, HalfSquaredL2(), settings).rate  # c = 2.5
        -9.25

    References:
        As `flow_energy`.
    """
    require_same_shapes(theta=theta, momentum=momentum, gradient=gradient)
    theta, momentum, gradient = theta.double(), momentum.double(), gradient.double()
    decay, look = settings.weight_decay, settings.epsilon
    _, force, c = velocity(theta, momentum, gradient, kappa, settings)
    u, y = kappa.gradient(c), -decay * theta
    s = conjugate_gradient(kappa, y) if decay else torch.zeros_like(y)
    return FlowDecrease(
        alignment=(decay + settings.gamma) / (1 + look * decay) * inner(u - y, c - s),
        look_ahead=(1 - look * settings.gamma) / (1 + look * decay) * inner(u - kappa.gradient(momentum), force),
    )
