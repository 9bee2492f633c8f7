"""The constants of Theorem 2 and Corollary 3 of arXiv 2411.07724: from a number of steps to settings."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lionkit.theory._checks import require, require_count, require_positive
from lionkit.theory._problem import Problem, Settings

# A beta that is 1 but for rounding would never forget.
_LARGEST_BETA = math.nextafter(1, 0)


@dataclass(frozen=True)
class Constants:
    r"""The constants that turn a number of steps into settings, independent of it and of d.

    .. math::
        \beta_1 = 1 - \frac{c_1}{\sqrt K}, \qquad \beta_2 = 1 - \frac{c_2}{\sqrt K}, \qquad
        \eta = \frac{c_3}{\sqrt d K^{3/4}}

    Attributes:
        c1: Above 0, without unit.
        c2: Above 0, without unit.
        c3: Above 0, in the unit of the weights.

    References:
        arXiv 2411.07724, Theorem 2.
    """

    c1: float
    c2: float
    c3: float

    def __post_init__(self) -> None:
        for name in ("c1", "c2", "c3"):
            require_positive(name, getattr(self, name))

    def settings(self, dim: int, steps: int, weight_decay: float = 0.0) -> Settings:
        """Return the settings for a run of ``steps`` steps of ``dim`` weights.

        Raises:
            ValueError: so few steps that a beta would be negative.
        """
        require_count("dim", dim)
        require_count("steps", steps)
        least = max(self.c1, self.c2) ** 2
        condition = f"Theorem 2 needs at least max(c1, c2)^2 = {least:.6g}, or a beta is negative"
        require(steps >= least * (1 - 1e-12), "steps", steps, condition)  # equality, but for rounding, is beta = 0
        beta1, beta2 = (min(max(1 - c / math.sqrt(steps), 0.0), _LARGEST_BETA) for c in (self.c1, self.c2))
        return Settings(self.c3 / (math.sqrt(dim) * steps**0.75), (beta1, beta2), weight_decay)


def corollary3_constants(problem: Problem) -> Constants:
    r"""The constants of Corollary 3: what the theory says to train with.

    .. math::
        c_1 = c_2 = \frac{\sqrt{L\Delta}}{\sigma}, \qquad c_3 = \frac{\Delta^{3/4}}{L^{1/4}\sigma^{1/2}}

    The momentum averages over :math:`\sqrt K / c_2` steps: the more noise, the longer.

    Raises:
        ValueError: without noise, by which the corollary divides.

    Example:
        >>> from lionkit.theory import Problem, corollary3_constants
        >>> corollary3_constants(Problem(dim=10, smoothness=2.0, noise=4.0, gap=8.0))
        Constants(c1=1.0, c2=1.0, c3=2.0)

    References:
        arXiv 2411.07724, Corollary 3.
    """
    require(problem.noise > 0, "noise", problem.noise, "Corollary 3 divides by it: it must be above 0")
    ratio = math.sqrt(problem.smoothness * problem.gap) / problem.noise
    c3 = problem.gap**0.75 / (problem.smoothness**0.25 * math.sqrt(problem.noise))
    return Constants(ratio, ratio, c3)


def corollary3_steps(problem: Problem) -> float:
    r"""The condition of Corollary 3 on the number of steps: the least :math:`K`, a real number.

    .. math::
        K \ge \max\left\{\frac{\sigma^6}{L^3\Delta^3}, \frac{L\Delta}{\sigma^2}\right\}

    The first lets the noise of the first gradient fade; below the second the betas would be negative.

    Raises:
        ValueError: without noise, by which the corollary divides.

    Example:
        >>> from lionkit.theory import Problem, corollary3_steps
        >>> corollary3_steps(Problem(dim=10, smoothness=2.0, noise=8.0, gap=8.0))
        64.0

    References:
        arXiv 2411.07724, Corollary 3.
    """
    c1 = corollary3_constants(problem).c1
    return max(c1**-6, c1**2)
