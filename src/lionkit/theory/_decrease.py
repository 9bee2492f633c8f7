"""Lion-K's Lyapunov function falls at every step, but for curvature and noise."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lionkit.kappa import Kappa
from lionkit.theory._checks import require_positive, require_same_shapes
from lionkit.theory._conjugate import conjugate_gradient
from lionkit.theory._energy import coefficients, inner
from lionkit.theory._problem import Settings
from lionkit.theory._result import parts_table


@dataclass(frozen=True)
class Decrease:
    r"""What a step does to H at most: :math:`H^+ - H \le` ``change``; ``print`` it for a table.

    Attributes:
        alignment: At least 0; how far the direction is from agreeing with the weights: 0 at a KKT point.
        look_ahead: At least 0; how far the new momentum is from the direction. 0 where the betas are equal.
        curvature: At least 0; the price of a finite step, of second order in ``lr``.
        noise: What the gradient's noise adds, of either sign; 0 for full gradients. Its mean over the noise
            is not 0, as the direction depends on it.
    """

    alignment: float
    look_ahead: float
    curvature: float
    noise: float

    @property
    def change(self) -> float:
        """The bound on the change of H."""
        return -self.alignment - self.look_ahead + self.curvature + self.noise

    def __str__(self) -> str:
        return parts_table("H changes by at most - alignment - look_ahead + curvature + noise", vars(self), self.change)


@torch.no_grad()
def decrease(
    theta: Tensor,
    momentum: Tensor,
    gradient: Tensor,
    kappa: Kappa,
    settings: Settings,
    *,
    smoothness: float,
    full_gradient: Tensor | None = None,
) -> Decrease:
    r"""What the step from here does to `energy`, at most.

    .. math::
        H^+ - H \le -\epsilon a\langle u - y, c - s\rangle
        - \frac{\epsilon\beta_1(1-\beta_2)}{D(\beta_2 - \beta_1)} \langle\nabla\kappa(m^+) - u, m^+ - c\rangle
        + \frac{L\epsilon^2}2\|u - y\|_2^2 + \epsilon\langle g - \nabla f, u - y\rangle

    with :math:`u = \nabla\kappa(c)`, :math:`y = -\lambda\theta^+`, :math:`s \in \partial\kappa^*(y)` and
    :math:`a = (\epsilon\lambda + 1 - \beta_2)/D`. The first two brackets are at least 0, as gradient maps of
    convex functions are monotone.

    Args:
        theta: The weights before the step, inside of the constraint set (phase 2), real, any shape.
        momentum: The momentum before the step.
        gradient: The gradient g that the step sees.
        kappa: The geometry.
        settings: As in `energy`.
        smoothness: :math:`L`, above 0.
        full_gradient: :math:`\nabla f(\theta)`, where g is a noisy estimate; None: g itself.

    Returns:
        The four terms, in loss; computed in float64.

    Raises:
        ValueError: as `energy`, or ``smoothness`` is not above 0.

    Example:
        >>> import torch
        >>> from lionkit.kappa import HalfSquaredL2
        >>> from lionkit.theory import Settings, decrease
        >>> settings = Settings(lr=0.1, betas=(0.5, 0.5), weight_decay=0.5)
        >>> theta = gradient = torch.tensor([1.0, 0.5], dtype=torch.float64)  # f = |theta|^2 / 2
        >>> print(decrease(theta, gradient, gradient, HalfSquaredL2(), settings, smoothness=1.0))
        H changes by at most - alignment - look_ahead + curvature + noise
          alignment    0.2805
          look_ahead        0
          curvature   0.01406
          noise             0
          total       -0.2665

    References:
        As `energy`.
    """
    require_positive("smoothness", smoothness)
    full = gradient if full_gradient is None else full_gradient
    require_same_shapes(theta=theta, momentum=momentum, gradient=gradient, full_gradient=full)
    scale, a = coefficients(settings)
    theta, momentum, gradient = theta.double(), momentum.double(), gradient.double()
    c, after = (torch.lerp(momentum, gradient, 1 - beta) for beta in settings.betas)
    u = kappa.gradient(c)
    y, s = _destination(theta, u, kappa, settings)
    bend = kappa.gradient(after) - u
    step = settings.implicit_lr
    return Decrease(
        alignment=step * a * inner(u - y, c - s),
        look_ahead=scale * (1 - settings.betas[1]) * inner(bend, momentum - gradient),  # m+ - c over beta2 - beta1
        curvature=smoothness * step**2 / 2 * inner(u - y, u - y),
        noise=step * inner(gradient - full.double(), u - y),
    )


def _destination(theta: Tensor, u: Tensor, kappa: Kappa, settings: Settings) -> tuple[Tensor, Tensor]:
    """Return y, the negative of decay times the weights that the step leads to, and the conjugate's slope there."""
    decay = settings.weight_decay
    y = -decay * ((1 - settings.lr * decay) * theta - settings.lr * u)
    return y, conjugate_gradient(kappa, y) if decay else torch.zeros_like(y)
