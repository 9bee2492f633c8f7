"""What each cell of the grid shows of each statement."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from lionkit import theory
from lionkit.theory import Constants, Problem
from lionkit_lab.verify._cells import Cell
from lionkit_lab.verify._known_problem import GAP, NOISE, SMOOTHNESS, KnownProblem
from lionkit_lab.verify._noises import KINDS
from lionkit_lab.verify._problems import PROBLEMS, WITHIN
from lionkit_lab.verify._run import Arm, Measured, run

CONSTANTS = Constants(c1=1.0, c2=1.0, c3=2.4)
"""Of the runs that Theorem 2 is held against. Corollary 3 has its own, for which it needs more steps."""


@dataclass(frozen=True)
class Observation:
    """What the seeds of one cell, with one kind of noise, say of one statement.

    Attributes:
        statement: Its key.
        problem: The problem's name.
        noise: The noise's name.
        dim: d.
        steps: K.
        samples: Its left side, one a seed.
        bound: Its right side.
    """

    statement: str
    problem: str
    noise: str
    dim: int
    steps: int
    samples: tuple[float, ...]
    bound: float

    @property
    def within(self) -> bool:
        """Whether the problem and the noise keep the assumptions."""
        return KINDS[self.noise].within and self.problem in WITHIN


@torch.no_grad()
def observe(cell: Cell, seeds: int) -> list[Observation]:
    """Run one cell: with decay and with almost none, at Theorem 2's constants and, with steps enough, at the best."""
    problem = PROBLEMS[cell.problem](cell.dim)
    boxed, free = Problem(cell.dim, SMOOTHNESS, NOISE, GAP), Problem(cell.dim, SMOOTHNESS, NOISE, GAP - problem.lowest)
    decay = problem.weight_decay
    arms = {
        _of_theorem2: Arm(CONSTANTS.settings(cell.dim, cell.steps, decay)),
        _of_theorem4: _free(problem, cell.steps, CONSTANTS),
    }
    if cell.steps >= max(map(theory.corollary3_steps, (boxed, free))):
        arms |= {
            _of_corollary3: Arm(theory.corollary3_constants(boxed).settings(cell.dim, cell.steps, decay)),
            _of_corollary5: _free(problem, cell.steps, theory.corollary3_constants(free)),
        }
    seed = cell.dim * 1_000_003 + cell.steps
    found = run(problem, tuple(arms.values()), cell.kinds, cell.steps, seeds, seed)
    return [
        Observation(key, cell.problem, noise, cell.dim, cell.steps, tuple(samples.tolist()), bound)
        for (say, arm), by_noise in zip(arms.items(), found, strict=True)
        for noise, measured in by_noise.items()
        for key, (samples, bound) in say(problem, cell.steps, arm, measured).items()
    ]


def _free(problem: KnownProblem, steps: int, constants: Constants) -> Arm:
    """Return the arm of Theorem 4: so little decay that no weight comes near the box."""
    undecayed = constants.settings(problem.dim, steps)
    radius = theory.reach(problem.start.abs().max().item(), steps, undecayed)
    return Arm(constants.settings(problem.dim, steps, 1 / (2 * radius)), problem.lowest)


_Says = dict[str, tuple[torch.Tensor, float]]


def _of_theorem2(problem: KnownProblem, steps: int, arm: Arm, measured: Measured) -> _Says:
    known, decay = Problem(problem.dim, SMOOTHNESS, NOISE, GAP), problem.weight_decay
    says: _Says = {
        "box": (measured.largest, 1.0),
        "sign": (-measured.least_residual, 0.0),
        "lemma6": (measured.tracking, theory.lemma6(known, steps, arm.settings).total),
        "theorem2": (measured.residual, theory.theorem2(known, steps, CONSTANTS, weight_decay=decay).total),
        "inequality10": (measured.loss, theory.inequality10(known, CONSTANTS).total),
        "gradient": (measured.gradient / 2, theory.theorem2(known, steps, CONSTANTS).total),
    }
    return says | ({"frank_wolfe": (measured.surplus, 0.0)} if problem.convex else {})


def _of_corollary3(problem: KnownProblem, steps: int, arm: Arm, measured: Measured) -> _Says:
    known, decay = Problem(problem.dim, SMOOTHNESS, NOISE, GAP), problem.weight_decay
    return {
        "theorem2_at": (measured.residual, theory.theorem2_at(known, steps, arm.settings).total),
        "corollary3": (measured.residual, theory.corollary3(known, steps, weight_decay=decay).total),
    }


def _of_theorem4(problem: KnownProblem, steps: int, arm: Arm, measured: Measured) -> _Says:
    known, decay = Problem(problem.dim, SMOOTHNESS, NOISE, GAP - problem.lowest), arm.settings.weight_decay
    bound = theory.theorem4(known, steps, CONSTANTS, weight_decay=decay, radius=1 / (2 * decay))
    return {"theorem4": (measured.gradient / 2, bound.total)}


def _of_corollary5(problem: KnownProblem, steps: int, arm: Arm, measured: Measured) -> _Says:
    known, decay = Problem(problem.dim, SMOOTHNESS, NOISE, GAP - problem.lowest), arm.settings.weight_decay
    bound = theory.corollary5(known, steps, weight_decay=decay, radius=1 / (2 * decay))
    return {"corollary5": (measured.gradient / 2, bound.total)}
