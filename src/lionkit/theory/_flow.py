"""Lion-K in continuous time: the differential equation that its steps follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from lionkit.kappa import Kappa
from lionkit.theory._checks import require, require_not_negative, require_positive, require_same_shapes
from lionkit.theory._integrate import integrate
from lionkit.theory._problem import Settings


@dataclass(frozen=True)
class FlowSettings:
    r"""The constants of the flow.

    Attributes:
        weight_decay: :math:`\lambda`, at least 0.
        alpha: :math:`\alpha`, above 0: how fast the momentum takes in gradients, in 1 / time.
        gamma: :math:`\gamma`, above 0: how fast it forgets, in 1 / time.
        epsilon: :math:`\varepsilon`, how far the direction looks ahead, from 0 to :math:`1/\gamma`, in time.

    Raises:
        ValueError: a constant is out of its range.

    Example:
        >>> from lionkit.theory import FlowSettings, Settings
        >>> FlowSettings.of(Settings(lr=0.25, betas=(0.5, 0.75), weight_decay=0.5))
        FlowSettings(weight_decay=0.5, alpha=1.0, gamma=1.0, epsilon=0.5)

    References:
        Chen, Liu, Liang, Liu, "Lion Secretly Solves Constrained Optimization: As Lyapunov Predicts",
        arXiv 2310.05898, the Lion-K ODE; read in secondary sources.
    """

    weight_decay: float
    alpha: float = 1.0
    gamma: float = 1.0
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        require_not_negative("weight_decay", self.weight_decay)
        require_positive("alpha", self.alpha)
        require_positive("gamma", self.gamma)
        require_not_negative("epsilon", self.epsilon)
        look = self.epsilon * self.gamma
        require(look <= 1, "epsilon * gamma", look, "the flow needs at most 1, or the direction is no mean of m and g")

    @classmethod
    def of(cls, settings: Settings) -> FlowSettings:
        r"""Return the flow whose Euler steps of length ``lr`` are the steps with these settings.

        :math:`\beta_1 = 1 - \varepsilon\gamma` and :math:`\beta_2 = 1 - \eta\gamma`, with :math:`\alpha = \gamma`.
        """
        beta1, beta2 = settings.betas
        gamma = (1 - beta2) / settings.lr
        return cls(settings.weight_decay, gamma, gamma, (1 - beta1) / gamma)


@dataclass(frozen=True)
class Trajectory:
    """A solution of the flow.

    Attributes:
        times: The n times that were asked for.
        theta: The weights at each, [n, ...].
        momentum: The momentum at each, [n, ...].
    """

    times: tuple[float, ...]
    theta: Tensor
    momentum: Tensor


@torch.no_grad()
def flow(
    gradient: Callable[[Tensor], Tensor],
    theta: Tensor,
    momentum: Tensor,
    kappa: Kappa,
    times: Sequence[float],
    settings: FlowSettings,
    *,
    rtol: float = 1e-8,
    atol: float = 1e-10,
) -> Trajectory:
    r"""Integrate the Lion-K flow from given weights and momentum.

    .. math::
        \dot m = \alpha\nabla f(\theta) - \gamma m, \qquad c = m + \varepsilon\dot m, \qquad
        \dot\theta = -\nabla\kappa(c) - \lambda\theta

    (The Lion-K papers average *negative* gradients: their m has the other sign.) By Dormand and Prince's
    method of order 5 in float64. Where the gradient map jumps, as the sign does, the flow runs into the jump and
    along it, where no step size is small enough: take a smooth kappa, such as Huber's with a small
    threshold for Lion.

    Args:
        gradient: :math:`\nabla f`, from a float64 tensor of theta's shape to one of the same shape.
        theta: The weights at ``times[0]``, real, any shape.
        momentum: The momentum there, of the same shape.
        kappa: The geometry, with a continuous gradient map.
        times: At least one, increasing.
        settings: The constants of the flow.
        rtol: Error of a step, relative; above 0.
        atol: Error of a step, absolute; above 0.

    Raises:
        ValueError: times that do not increase, a tolerance that is not above 0, or shapes that differ.
        RuntimeError: the flow meets a jump of the gradient map.

    Example:
        >>> import torch
        >>> from lionkit.kappa import HalfSquaredL2
        >>> from lionkit.theory import FlowSettings, flow
        >>> start = torch.ones(2, dtype=torch.float64)
        >>> run = flow(lambda x: 0 * x, start, 0 * start, HalfSquaredL2(), [0.0, 1.0], FlowSettings(weight_decay=2.0))
        >>> run.theta[1]  # exp(-2)
        tensor([0.1353, 0.1353], dtype=torch.float64)

    References:
        As `FlowSettings`.
    """
    require_same_shapes(theta=theta, momentum=momentum)
    require_positive("rtol", rtol)
    require_positive("atol", atol)
    times = tuple(float(time) for time in times)
    ordered = all(a < b for a, b in pairwise(times))
    require(len(times) > 0 and ordered, "times", times, "they must increase")

    def field(state: Tensor) -> Tensor:
        return torch.stack(velocity(state[0], state[1], gradient(state[0]), kappa, settings)[:2])

    states = integrate(field, torch.stack([theta.double(), momentum.double()]), times, rtol=rtol, atol=atol)
    return Trajectory(times, states[:, 0], states[:, 1])


def velocity(
    theta: Tensor, momentum: Tensor, gradient: Tensor, kappa: Kappa, settings: FlowSettings
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the velocities of theta and of the momentum, and the direction c."""
    force = settings.alpha * gradient - settings.gamma * momentum
    c = momentum + settings.epsilon * force
    return -kappa.gradient(c) - settings.weight_decay * theta, force, c
