"""What `lionkit verify` has no time for: `python -m benchmarks.verify_apart`; about five minutes on one core.

Longer runs, where its fitted exponents are slower than the theorem's, and Theorem 2's exponents at other constants than
the ones that were chosen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from unittest import mock

import torch

from lionkit import LionK, theory
from lionkit.theory import Constants, Problem
from lionkit_lab.verify import _noises
from lionkit_lab.verify._cells import BASE_DIM, EFFORTS
from lionkit_lab.verify._fit import exponent
from lionkit_lab.verify._known_problem import GAP, NOISE, SMOOTHNESS
from lionkit_lab.verify._observe import CONSTANTS
from lionkit_lab.verify._problems import PROBLEMS, WITHIN
from lionkit_lab.verify._run import Arm, run

STEPS = (3162, 10_000, 31_623, 100_000, 316_228, 562_341)
NOISES = ("gaussian", "sparse")
SEEDS = 20


def main() -> None:
    """Measure both, and print them as Markdown tables."""
    torch.set_num_threads(1)
    found = {steps: corollary5(steps) for steps in STEPS}
    print("| noise | K | mean | times K^(1/4) | slope | of the last half |\n|---|---|---|---|---|---|")
    for place, noise in enumerate(NOISES):
        for before, steps in zip((None, *STEPS), STEPS, strict=False):
            whole, late = found[steps][place]
            cells = [noise, f"{steps:,}", f"{whole:.5f}", f"{whole * steps**0.25:.4f}", "", ""]
            if before is not None:
                apart = math.log(steps / before)
                olds = found[before][place]
                cells[-2:] = (
                    f"{math.log(new / old) / apart:.4f}" for new, old in zip((whole, late), olds, strict=True)
                )
            print(f"| {' | '.join(cells)} |")
    print(f"\n| Theorem 2 (ii), with | {' | '.join(WITHIN)} |\n|---|{'---|' * len(WITHIN)}")
    for label, fits in others():
        print(f"| {label} | {' | '.join(fits)} |", flush=True)


@torch.no_grad()
def corollary5(steps: int) -> list[tuple[float, float]]:
    """Run the logistic problem at Corollary 5's settings.

    Returns:
        For each noise, half the mean l1 norm of the gradient: over all steps, and over the last half of them.
    """
    problem = PROBLEMS["logistic"](BASE_DIM)
    constants = theory.corollary3_constants(Problem(BASE_DIM, SMOOTHNESS, NOISE, GAP - problem.lowest))
    radius = theory.reach(problem.start.abs().max().item(), steps, constants.settings(BASE_DIM, steps))
    weights = torch.nn.Parameter(problem.start.repeat(len(NOISES) * SEEDS, 1))
    settings = constants.settings(BASE_DIM, steps, 1 / (2 * radius))
    optimizer = LionK([weights], **vars(settings), momentum_init="gradient")
    generator = torch.Generator().manual_seed(BASE_DIM * 1_000_003 + steps)
    noises = _noises.stream(NOISES, SEEDS, BASE_DIM, generator)
    halves = torch.zeros(2, len(weights), dtype=torch.float64)
    for step in range(steps):
        full = problem(weights)[1]
        halves[2 * step // steps] += full.abs().sum(-1) / 2
        weights.grad = full + next(noises)
        optimizer.step()
    whole, late = (
        part.view(len(NOISES), SEEDS).mean(-1).tolist() for part in (halves.sum(0) / steps, halves[1] / (steps / 2))
    )
    return list(zip(whole, late, strict=True))


def others() -> Iterator[tuple[str, list[str]]]:
    """Yield the exponents in K with each constant halved and doubled, Gaussian noise."""
    for name in ("c1", "c2", "c3"):
        for factor in (0.5, 2.0):
            value = factor * getattr(CONSTANTS, name)
            yield f"{name} = {value:g}", _exponents(replace(CONSTANTS, **{name: value}))
    for sigma in (NOISE / 2, NOISE * 2):
        with mock.patch.object(_noises, "NOISE", sigma):
            yield f"sigma = {sigma:g}", _exponents(CONSTANTS)


def _exponents(constants: Constants) -> list[str]:
    fits = [
        exponent([(steps, _residual(name, steps, constants)) for steps in EFFORTS["full"].steps]) for name in WITHIN
    ]
    return [f"{fit.value:.3f} ± {fit.high - fit.value:.3f}" for fit in fits]


@torch.no_grad()
def _residual(name: str, steps: int, constants: Constants) -> float:
    problem = PROBLEMS[name](BASE_DIM)
    arm = Arm(constants.settings(BASE_DIM, steps, problem.weight_decay))
    ((found,),) = (it.values() for it in run(problem, (arm,), ("gaussian",), steps, SEEDS, steps))
    return found.residual.mean().item()


if __name__ == "__main__":
    main()
