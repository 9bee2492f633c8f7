"""What the theory says to train with, what it then promises, and what it does not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lionkit.theory._box import reach, theorem2_i
from lionkit.theory._checks import require_count, require_not_negative, require_positive
from lionkit.theory._constants import Constants, corollary3_constants, corollary3_steps
from lionkit.theory._corollary3 import corollary3
from lionkit.theory._problem import Problem, Settings
from lionkit.theory._result import Bound
from lionkit.theory._theorem2 import theorem2


@dataclass(frozen=True)
class Plan:
    """Settings for a number of steps, and what the theory promises of them; ``print`` it for a table.

    Attributes:
        problem: What it is for.
        steps: How many steps it is for.
        settings: The learning rate, the betas and the decay. The momentum is to start at the first gradient.
        bound: Theorem 2 (ii) at these settings, term by term.
        corollary: Corollary 3's bound; None where there are too few steps for it.
        reaches_stationary_point: Whether Theorem 4 applies: twice ``bound`` then bounds the mean l1 norm of
            the gradient of the loss itself.
        warnings: What a reader of the numbers should know, one sentence each.
    """

    problem: Problem
    steps: int
    settings: Settings
    bound: Bound
    corollary: float | None
    reaches_stationary_point: bool
    warnings: tuple[str, ...]

    @property
    def options(self) -> dict[str, Any]:
        """The keyword arguments for `lionkit.Lion`."""
        return {**vars(self.settings), "momentum_init": "gradient"}

    def __str__(self) -> str:
        beta1, beta2 = self.settings.betas
        corollary = "too few steps" if self.corollary is None else f"{self.corollary:.4g}"
        return "\n".join(
            [
                f"lr {self.settings.lr:.4g}, betas ({beta1:.6g}, {beta2:.6g}), "
                f"weight_decay {self.settings.weight_decay:.4g}, momentum_init 'gradient'",
                str(self.bound),
                f"Corollary 3: {corollary}",
                *(f"warning: {warning}" for warning in self.warnings),
            ]
        )


def plan(
    problem: Problem, steps: int, *, weight_decay: float = 0.0, start: float = 0.0, radius: float | None = None
) -> Plan:
    r"""Return the settings of Corollary 3 for a run of so many steps, and what they promise.

    Where the corollary asks for a longer run, the plan is still one that Theorem 2 holds for, and says so: betas
    that would be negative are held at 0.

    Args:
        problem: The constants; the noise above 0.
        steps: :math:`K`, at least 1.
        weight_decay: :math:`\lambda`, at least 0: it sets the box, and does not enter the bound.
        start: Largest absolute weight at the start, at least 0; to be judged against the box.
        radius: :math:`C`, a bound on every weight of the run, if you know one; None: `reach`, which always holds.

    Raises:
        ValueError: no noise, or ``lr * weight_decay`` above 1 at the learning rate that comes out.

    Example:
        >>> from lionkit.theory import Problem, plan
        >>> found = plan(Problem(dim=100, smoothness=1.0, noise=1.0, gap=16.0), steps=10**6, weight_decay=0.01)
        >>> round(found.settings.lr, 9), tuple(round(beta, 6) for beta in found.settings.betas)
        (2.5298e-05, (0.996, 0.996))
        >>> round(found.bound.total, 4), round(found.corollary, 4), found.reaches_stationary_point
        (6.9671, 9.4868, True)

    References:
        arXiv 2411.07724, Theorem 2, Corollaries 3 and 5.
    """
    require_count("steps", steps)
    require_not_negative("start", start)
    ideal, least = corollary3_constants(problem), corollary3_steps(problem)
    longest = min(ideal.c1, math.sqrt(steps))
    constants = Constants(longest, longest, ideal.c3)
    settings = constants.settings(problem.dim, steps, weight_decay)
    bound = theorem2(problem, steps, constants, weight_decay=weight_decay)
    known = reach(start, steps, settings) if radius is None else radius
    require_positive("radius", known)
    warnings = [
        *_about_steps(problem, steps, ideal.c1, least),
        *_about_size(problem, bound),
        *_about_start(settings, start, steps),
        *_about_decay(weight_decay, known),
    ]
    corollary = corollary3(problem, steps, weight_decay=weight_decay).total if steps >= least else None
    return Plan(problem, steps, settings, bound, corollary, weight_decay <= 1 / (2 * known), tuple(warnings))


def _about_steps(problem: Problem, steps: int, c1: float, least: float) -> list[str]:
    if steps >= least:
        return []
    advice = f"Corollary 3 needs {least:.6g} steps and there are {steps}; the bound here is Theorem 2's."
    if steps < c1**2:
        held = f"Below L gap / sigma^2 = {c1**2:.6g} steps the betas would be negative and are held at 0."
        return [f"Too few steps: {advice} {held}"]
    faint = f"The noise of the first gradient has not faded: its term alone is {_start_share(problem, steps):.3g}."
    return [f"Too few steps: {advice} {faint}"]


def _start_share(problem: Problem, steps: int) -> float:
    return 2 * problem.noise * math.sqrt(problem.dim / steps) / corollary3_constants(problem).c1


def _about_size(problem: Problem, bound: Bound) -> list[str]:
    """Set the bound beside what smoothness alone says of the first gradient: |g|_2^2 <= 2 L gap."""
    already = math.sqrt(2 * problem.dim * problem.smoothness * problem.gap)
    if bound.total < already:
        return []
    return [
        f"The bound {bound.total:.4g} says nothing new: |grad f|_1 at the start is at most sqrt(2 d L gap) = "
        f"{already:.4g} where f* bounds f everywhere. It falls below that after about "
        f"{(bound.total / already) ** 4:.3g} times as many steps."
    ]


def _about_start(settings: Settings, start: float, steps: int) -> list[str]:
    decay = settings.weight_decay
    if start * decay <= 1:
        return []
    box = theorem2_i(settings.lr, decay)
    return [
        f"The run starts outside of the box: a weight of {start:.4g} against 1 / weight_decay = {box.radius:.4g}. "
        f"Theorem 2 does not hold until it is inside; {box.contraction**steps:.2g} of the distance is left at the end."
    ]


def _about_decay(weight_decay: float, radius: float) -> list[str]:
    if weight_decay <= 1 / (2 * radius):
        return []
    return [
        f"weight_decay {weight_decay:.4g} is above 1 / (2 C) = {1 / (2 * radius):.4g} with C = {radius:.4g}: the run "
        f"comes to a KKT point of the box of {1 / weight_decay:.4g}, which need not be a stationary point of the loss."
    ]
