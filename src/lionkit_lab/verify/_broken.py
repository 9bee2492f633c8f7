"""The counter-examples: each assumption broken in turn, and what then fails."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import torch

from lionkit import theory
from lionkit.theory import Problem, Settings
from lionkit_lab.verify._fit import exponent
from lionkit_lab.verify._known_problem import GAP, NOISE, SMOOTHNESS
from lionkit_lab.verify._observe import Observation
from lionkit_lab.verify._quadratic import Quadratic
from lionkit_lab.verify._walk import WholeTensorGate, gradient_of, walk

_DIM = 32


@dataclass(frozen=True)
class Broken:
    """One counter-example.

    Attributes:
        key: Short.
        assumption: What is broken.
        how: How.
        fails: What then fails.
        left: What is measured of it.
        measured: Its value.
        bound: What it could not exceed if the assumption held.
        line: Name of the argument, arguments and values, to be drawn.
    """

    key: str
    assumption: str
    how: str
    fails: str
    left: str
    measured: float
    bound: float
    line: tuple[str, tuple[float, ...], tuple[float, ...]]

    @property
    def shown(self) -> bool:
        """Whether it fails indeed."""
        return self.measured > self.bound


def broken(observations: Sequence[Observation]) -> list[Broken]:
    """Return every counter-example; four of them from the observations of the grid."""
    by_runs = [_outside(), _too_large_steps(), _from_zero(), _whole_gate()]
    by_grid = [
        _stalled("smooth", "Assumption 1: smoothness", "f = sum of |x|", observations, "corners", "gaussian"),
        _stalled(
            "biased",
            "Assumption 2: no bias",
            "a constant of norm 0.5 in every gradient",
            observations,
            "quadratic",
            "biased",
        ),
        _stalled(
            "variance",
            "Assumption 3: bounded variance",
            "skewed noise of index 1.1, mean 0",
            observations,
            "quadratic",
            "skewed",
        ),
        _stalled(
            "radius",
            "little decay: at most 1 / (2 C)",
            "decay that holds the solution at the box",
            observations,
            "quadratic",
            "gaussian",
            "gradient",
        ),
    ]
    return [*by_runs, *by_grid]


def _stalled(
    key: str,
    assumption: str,
    how: str,
    observations: Sequence[Observation],
    problem: str,
    noise: str,
    statement: str = "theorem2",
) -> Broken:
    """What falls as K^(-1/4) under the assumption, and now does not: its exponent in K."""
    points = sorted(
        (it.steps, fmean(it.samples))
        for it in observations
        if (it.statement, it.problem, it.noise, it.dim) == (statement, problem, noise, _DIM)
    )
    what = "the mean gradient" if statement == "gradient" else "the mean residual S"
    line = ("K", tuple(float(k) for k, _ in points), tuple(value for _, value in points))
    fails = f"{what} does not fall as K^(-1/4)"
    return Broken(key, assumption, how, fails, "exponent in K, lower end", exponent(points).low, -0.25, line)


def _outside() -> Broken:
    radius = 1.0
    corner = radius * torch.ones(_DIM, dtype=torch.float64)
    settings = Settings(lr=0.002, betas=(0.9, 0.99), weight_decay=1 / radius)
    run = walk(lambda theta: theta - 6 * corner, 3 * corner, settings, steps=1000)
    residuals = [theory.kkt_residual(theta, gradient, 1 / radius) for theta, gradient, _ in run]
    line = ("step", tuple(map(float, range(1, 1001, 10))), tuple(residuals[::10]))
    how = "a start at 3 times the box, and a least loss further out"
    fails = "S is negative: it no longer says how far the run is from a KKT point"
    return Broken("outside", "a start in the box", how, fails, "\u2212 least S", -min(residuals), 0.0, line)


def _too_large_steps() -> Broken:
    problem, shrinks = Quadratic(_DIM), (0.5, 0.8, 1.0, 1.2, 1.5, 1.9)
    largest = []
    for shrink in shrinks:
        lr = shrink / problem.weight_decay
        settings = {"lr": lr, "betas": (0.9, 0.99), "weight_decay": problem.weight_decay}  # Settings refuses them
        run = walk(gradient_of(problem), torch.zeros(_DIM, dtype=torch.float64), settings, steps=50)
        largest.append(max(theta.abs().max().item() for theta, *_ in run) * problem.weight_decay)
    fails = "one step from the centre of the box ends outside of it"
    line = ("lr wd", shrinks, tuple(largest))
    name = "largest \u03bb\u2016\u03b8\u2016\u221e"
    return Broken("shrinking", "lr wd at most 1", "lr wd = 1.9", fails, name, largest[-1], 1.0, line)


def _from_zero() -> Broken:
    problem, steps = Quadratic(_DIM), 200
    settings = Settings(lr=1e-4 / math.sqrt(_DIM), betas=(0.9, 0.99), weight_decay=problem.weight_decay)
    errors = [
        torch.linalg.vector_norm(c - gradient).item()
        for _, gradient, c in walk(gradient_of(problem), problem.start, settings, steps, noise=NOISE)
    ]
    bound = theory.lemma6(Problem(_DIM, SMOOTHNESS, NOISE, GAP), steps, settings).total
    fails = "the direction lags behind the gradient: Lemma 6 needs its start_error"
    line = ("step", tuple(map(float, range(1, steps + 1))), tuple(errors))
    left = "\u2016c \u2212 \u2207f\u2016\u2082, mean over k"
    return Broken(
        "zeros",
        "a momentum that starts at the first gradient",
        "m starts at 0",
        fails,
        left,
        fmean(errors),
        bound,
        line,
    )


def _whole_gate() -> Broken:
    problem = Quadratic(_DIM)
    settings = {"lr": 0.2 / problem.weight_decay, "betas": (0.9, 0.99), "weight_decay": problem.weight_decay}
    run = walk(lambda theta: 20 * gradient_of(problem)(theta), problem.start, settings, 200, WholeTensorGate(nu=1.0))
    largest = [theta.abs().max().item() * problem.weight_decay for theta, *_ in run]
    line = ("step", tuple(map(float, range(1, 201))), tuple(largest))
    how = "CLion's gate over the whole tensor: the sign if all entries reach \u03bd = 1, else c itself"
    fails = "c may be longer than 1 in a coordinate, and the box is left; it is the gradient of no convex kappa"
    name = "largest \u03bb\u2016\u03b8\u2016\u221e"
    return Broken(
        "gate", "a direction that is the gradient of a convex kappa", how, fails, name, max(largest), 1.0, line
    )
