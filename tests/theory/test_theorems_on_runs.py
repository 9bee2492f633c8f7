"""Lion as the optimizers run it, against the bounds; one quick run of what ``verify`` measures at length."""

import math

import pytest
import torch
from theory_problems import DIM, Quadratic, gradient, randn

from lionkit import LionK, theory
from lionkit.theory import Constants, Problem, Settings

NOISE = 0.8
NUM_SEEDS = 6
LOSS = Quadratic()


def constrained_gap(start, radius):
    """f at the start less a lower bound of f over the box: its unconstrained minimum, 0."""
    assert start.abs().max() <= radius
    return LOSS(start).item()


def train(settings, steps, start, seed):
    """Return, for each step, the KKT residual, the l1 norm, the tracking error and the loss."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.nn.Parameter(start.clone())
    optimizer = LionK([weight], **vars(settings), momentum_init="gradient")
    beta1, records = settings.betas[0], []
    for _ in range(steps):
        full = gradient(LOSS, weight.data)
        weight.grad = full + NOISE / math.sqrt(DIM) * torch.randn(DIM, generator=generator, dtype=torch.float64)
        momentum = optimizer.state[weight].get("exp_avg", weight.grad).clone()
        c = beta1 * momentum + (1 - beta1) * weight.grad
        residual = theory.kkt_residual(weight.data, full, settings.weight_decay) if settings.weight_decay else 0.0
        assert residual >= -1e-12
        records.append((residual, full.abs().sum().item(), (c - full).norm().item(), LOSS(weight.data).item()))
        optimizer.step()
    assert weight.abs().max() <= theory.reach(start.abs().max().item(), steps, settings) * (1 + 1e-12)
    return torch.tensor(records, dtype=torch.float64)


def mean_over_runs(settings, steps, start):
    return torch.stack([train(settings, steps, start, seed) for seed in range(NUM_SEEDS)]).mean(0)


@pytest.mark.parametrize("steps", [100, 1600])
def test_corollary3_theorem2_and_lemma6(steps):
    decay = 0.5
    start = randn(DIM, seed=9).clamp(-2, 2)
    problem = Problem(DIM, LOSS.smoothness, NOISE, constrained_gap(start, 1 / decay))
    found = theory.plan(problem, steps, weight_decay=decay, start=2.0)
    runs = mean_over_runs(found.settings, steps, start)
    measured = runs[:, 0].mean().item()
    own = theory.theorem2_at(problem, steps, found.settings).total
    assert measured <= own <= found.bound.total
    assert found.corollary is None or found.bound.total <= found.corollary
    assert measured > 0.001 * own  # a bound in the same units as what it bounds
    tracking = theory.lemma6(problem, steps, found.settings).total
    assert 0.02 * tracking < runs[:, 2].mean().item() <= tracking


def test_theorem4_corollary5_and_inequality10():
    steps, start = 1600, randn(DIM, seed=9).clamp(-2, 2)
    problem = Problem(DIM, LOSS.smoothness, NOISE, LOSS(start).item())
    constants = theory.corollary3_constants(problem)
    radius = theory.reach(2.0, steps, constants.settings(DIM, steps))
    decay = 1 / (2 * radius)
    runs = mean_over_runs(constants.settings(DIM, steps, decay), steps, start)
    half = runs[:, 1].mean().item() / 2
    assert half <= theory.theorem4(problem, steps, constants, weight_decay=decay, radius=radius).total
    assert half <= theory.corollary5(problem, steps, weight_decay=decay, radius=radius).total
    assert runs[:, 3].max().item() <= theory.inequality10(problem, constants).total


def test_settings_of_ones_own():
    steps, start = 400, randn(DIM, seed=9).clamp(-1, 1)
    settings = Settings(lr=0.02, betas=(0.9, 0.96), weight_decay=1.0)
    problem = Problem(DIM, LOSS.smoothness, NOISE, constrained_gap(start, 1.0))
    runs = mean_over_runs(settings, steps, start)
    assert runs[:, 0].mean().item() <= theory.theorem2_at(problem, steps, settings).total
    with pytest.raises(ValueError, match="Theorem 2 needs at least"):
        theory.theorem2(problem, 400, Constants(30.0, 10.0, 1.0))
