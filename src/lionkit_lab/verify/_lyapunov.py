"""Statements on single runs of any kappa: both phases, the Lyapunov function, and its flow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from lionkit import kappa as kappas
from lionkit import kernels, theory
from lionkit.kappa import Kappa
from lionkit.theory import FlowSettings, Settings
from lionkit_lab.verify._known_problem import SMOOTHNESS, KnownProblem
from lionkit_lab.verify._problems import PROBLEMS, WITHIN

_SMOOTH = (kappas.Arctan(0.3), kappas.Entropy(0.3), kappas.HalfSquaredL2(), kappas.Huber(0.3), kappas.Relativistic(0.3))
KAPPAS: tuple[Kappa, ...] = (
    *_SMOOTH,
    kappas.L1(),
    kappas.Cautious(0.4),
    kappas.GroupL2("rows"),
    kappas.LInf(),
    kappas.Lp(1.5),
    kappas.Spectral(steps=None, adjust="original"),
    kappas.TopK(5),
    kappas.TruncatedL1(0.2),
)
"""One of every kappa of the library that is the gradient of a convex function."""
_SHAPE = (8, 4)
_SETTINGS = Settings(lr=0.02, betas=(0.85, 0.95), weight_decay=0.7)
_FLOW = FlowSettings(weight_decay=0.7, alpha=1.5, gamma=1.2, epsilon=0.5)
_BESIDE = 1e-4  # time between the points of a central difference: its own error is of the order of the square


@dataclass(frozen=True)
class Check:
    """A statement that must hold at every step.

    Attributes:
        title: Where it stands.
        claim: What it says.
        left: What is measured.
        cases: How many steps or times were checked.
        measured: The worst of them.
        bound: What it must not exceed.
    """

    title: str
    claim: str
    left: str
    cases: int
    measured: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return self.measured <= self.bound


def checks(steps: int = 40) -> list[Check]:
    """Check every kappa on every problem, in float64; full gradients and noisy ones."""
    falls, along, left = list(_falls(steps)), list(_along_flow()), list(_left_outside(5 * steps))
    return [
        _worst(
            "Lion-K, phase 1",
            "the distance to the set shrinks by 1 \u2212 lr wd a step",
            "excess left / allowed \u2212 1",
            left,
            1e-9,
        ),
        _worst(
            "Lion-K, phase 2", "the Lyapunov function falls as promised", "(\u0394H \u2212 promise) / H", falls, 1e-12
        ),
        _worst("Lion-K flow", "its derivative is the closed form", "|difference| / rate", along, 1e-6),
    ]


def _worst(title: str, claim: str, left: str, values: list[float], bound: float) -> Check:
    return Check(title, claim, left, len(values), max(values), bound)


def _falls(steps: int) -> Iterator[float]:
    """Yield by how much H falls less than it must, relative to H."""
    for name, kappa, noise in ((n, k, s) for n in WITHIN for k in KAPPAS for s in (0.0, 0.5)):
        problem, generator = PROBLEMS[name](math.prod(_SHAPE)), torch.Generator().manual_seed(1)
        theta, momentum = problem.start.view(_SHAPE) / 4, torch.zeros(_SHAPE, dtype=torch.float64)
        for _ in range(steps):
            loss, full = _at(problem, theta)
            g = full + noise * torch.randn(_SHAPE, generator=generator, dtype=torch.float64)
            promise = theory.decrease(
                theta, momentum, g, kappa, _SETTINGS, smoothness=SMOOTHNESS, full_gradient=full
            ).change
            before = theory.energy(loss, theta, momentum, kappa, _SETTINGS).total
            theta, momentum = _step(theta, momentum, g, kappa, _SETTINGS)
            after = theory.energy(_at(problem, theta)[0], theta, momentum, kappa, _SETTINGS).total
            yield (after - before - promise) / max(abs(before), 1e-3)


def _left_outside(steps: int) -> Iterator[float]:
    """Yield how much of the distance to the set is left, relative to what may be, less 1; whatever the gradients."""
    settings = Settings(lr=0.05, betas=(0.85, 0.95), weight_decay=0.7)
    for kappa in (k for k in KAPPAS if k.problem.constraint):
        generator = torch.Generator().manual_seed(2)
        theta, momentum = (torch.randn(_SHAPE, generator=generator, dtype=torch.float64) for _ in range(2))
        theta = 8 * theta
        start = theory.box_excess(theta, settings.weight_decay, kappa)
        for number in range(1, steps + 1):
            g = torch.randn(_SHAPE, generator=generator, dtype=torch.float64)
            theta, momentum = _step(theta, momentum, g, kappa, settings)
            allowed = start * theory.contraction([settings.lr] * number, settings.weight_decay)
            yield theory.box_excess(theta, settings.weight_decay, kappa) / allowed - 1


def _along_flow() -> Iterator[float]:
    """Yield the error of the closed form of dH/dt against central differences, relative to the largest rate."""
    times = [t + shift for t in (0.2, 0.7, 1.9) for shift in (-_BESIDE, 0.0, _BESIDE)]
    for name, kappa in ((name, kappa) for name in WITHIN for kappa in _SMOOTH):
        problem = PROBLEMS[name](math.prod(_SHAPE))
        theta, momentum = problem.start.view(_SHAPE) / 4, torch.zeros(_SHAPE, dtype=torch.float64)
        run = theory.flow(
            lambda x, it=problem: _at(it, x)[1], theta, momentum, kappa, [0.0, *times], _FLOW, rtol=1e-12, atol=1e-14
        )
        points = [(x, m, *_at(problem, x)) for x, m in zip(run.theta[1:], run.momentum[1:], strict=True)]
        values = [theory.flow_energy(loss, x, m, kappa, _FLOW).total for x, m, loss, _ in points]
        rates = [theory.flow_decrease(x, m, g, kappa, _FLOW).rate for x, m, _, g in points[1::3]]
        slopes = [(b - a) / (2 * _BESIDE) for a, b in zip(values[::3], values[2::3], strict=True)]
        yield from (abs(a - b) / max(map(abs, rates)) for a, b in zip(rates, slopes, strict=True))


def _at(problem: KnownProblem, theta: Tensor) -> tuple[float, Tensor]:
    loss, gradient = problem(theta.reshape(1, -1))
    return loss.item(), gradient.view(theta.shape)


def _step(theta: Tensor, momentum: Tensor, g: Tensor, kappa: Kappa, settings: Settings) -> tuple[Tensor, Tensor]:
    theta, momentum = theta.clone(), momentum.clone()
    kernels.reference([theta], [g], [momentum], kappa=cast(Any, kappa), **vars(settings), maximize=False)
    return theta, momentum
