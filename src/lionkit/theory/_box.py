"""Theorem 2 (i) of arXiv 2411.07724: the box that Lion never leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lionkit.theory._checks import require_box, require_count, require_not_negative
from lionkit.theory._problem import Settings
from lionkit.theory._result import IN_THE_BOX, Assumption


@dataclass(frozen=True)
class Box:
    r"""The box that Lion never leaves, and how fast it is entered from outside; ``print`` it for a summary.

    Attributes:
        radius: :math:`1/\lambda`, the half-width, in the unit of the weights.
        contraction: :math:`1 - \eta\lambda`, the factor by which a step shrinks the distance to the box.
        needs: What must hold.
    """

    radius: float
    contraction: float
    needs: tuple[Assumption, ...] = IN_THE_BOX

    def largest(self, start: float, steps: int) -> float:
        r"""Return the most that :math:`\|\theta\|_\infty` can be ``steps`` steps after it was ``start``.

        .. math:: \|\theta_{k+1}\|_\infty - 1/\lambda \le (1 - \eta\lambda)(\|\theta_k\|_\infty - 1/\lambda)

        for any gradients at all; also from a start outside of the box.
        """
        return self.radius + self.contraction**steps * (start - self.radius)

    def residual_at_least(self, largest: float, gradient_l1: float) -> float:
        r"""Return the least that the KKT residual can be: :math:`(1 - \lambda\|\theta\|_\infty)\|\nabla f\|_1`."""
        return (1 - largest / self.radius) * gradient_l1

    def __str__(self) -> str:
        return "\n".join(
            [
                f"Theorem 2 (i): |theta_k|_inf <= {self.radius:.4g}, and a KKT residual of at least 0",
                f"  outside, the distance shrinks by the factor {self.contraction:.6g} a step",
                *(f"  needs  {need}" for need in self.needs),
            ]
        )


def theorem2_i(lr: float, weight_decay: float) -> Box:
    r"""Theorem 2 (i): the box is invariant, and the KKT residual at least 0 in it.

    .. math::
        \|\theta_k\|_\infty \le \frac1\lambda, \qquad
        \lambda \langle \nabla f(\theta_k), \theta_k \rangle + \|\nabla f(\theta_k)\|_1 \ge 0

    The proof needs :math:`\eta\lambda \le 1`, which the paper does not state; and the theorem speaks of
    :math:`\theta^0` where Algorithm 1 starts at :math:`\theta^1`.

    Args:
        lr: Learning rate, above 0.
        weight_decay: Decay, above 0.

    Raises:
        ValueError: no decay, so that there is no box, or ``lr * weight_decay`` above 1.

    Example:
        >>> from lionkit.theory import theorem2_i
        >>> box = theorem2_i(lr=0.01, weight_decay=0.5)
        >>> box.radius, round(box.largest(start=3.0, steps=100), 3)
        (2.0, 2.606)

    References:
        arXiv 2411.07724, Theorem 2 (i) and Appendix A.1.
    """
    require_box(weight_decay)
    settings = Settings(lr, (0.0, 0.0), weight_decay)
    return Box(radius=1 / weight_decay, contraction=1 - settings.lr * weight_decay)


def reach(start: float, steps: int, settings: Settings) -> float:
    r"""Return a radius C that no weight of a Lion run can leave, whatever its gradients.

    A step moves a weight by at most :math:`\eta` and shrinks it by :math:`1 - \eta\lambda`, so that after k steps

    .. math:: \|\theta\|_\infty \le q^k \|\theta_1\|_\infty + \frac{1 - q^k}{\lambda}, \qquad q = 1 - \eta\lambda,

    which is :math:`\|\theta_1\|_\infty + k\eta` without decay. C is the largest of it over the run. `theorem4`
    and `corollary5` ask for such a C; the paper takes it from coercivity (see `theorem4` for what that leaves open).

    Args:
        start: Largest absolute weight :math:`\|\theta_1\|_\infty`, at least 0.
        steps: :math:`K`, at least 1.
        settings: The learning rate and the decay of the run.

    Raises:
        ValueError: ``start`` is negative or ``steps`` not a count.

    Example:
        >>> from lionkit.theory import Settings, reach
        >>> round(reach(start=0.5, steps=100, settings=Settings(lr=0.01, betas=(0.9, 0.99))), 6)
        1.5
    """
    require_not_negative("start", start)
    require_count("steps", steps)
    if settings.lr * settings.weight_decay == 1:
        return max(start, settings.lr)
    moved = steps * settings.lr
    if settings.weight_decay:
        moved = -math.expm1(steps * math.log1p(-settings.lr * settings.weight_decay)) / settings.weight_decay
    return max(start, start * (1 - moved * settings.weight_decay) + moved)
