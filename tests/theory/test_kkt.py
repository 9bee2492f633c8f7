"""Residuals: against the paper's form, against the maximum they stand for, and 0 at known solutions."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from theory_problems import CONSTRAINED, KAPPAS, LOSSES, gradient, inside, randn

from lionkit import kappa, probes, theory

DECAY = 0.7
NORMS = [k for k in CONSTRAINED if isinstance(k, kappa.L1 | kappa.GroupL2 | kappa.LInf | kappa.Lp)]
NORMS += [k for k in CONSTRAINED if isinstance(k, kappa.Spectral | kappa.TopK)]


@given(seed=st.integers(0, 10**6), size=st.floats(-3, 3).map(lambda x: 10.0**x))
def test_lion_by_the_papers_own_form(seed, size):
    theta, g = size * randn(5, 2, seed=seed), randn(5, 2, seed=seed + 1)
    by_loops = sum(abs(x) for x in g.flatten().tolist())
    by_loops += DECAY * sum(x * y for x, y in zip(theta.flatten().tolist(), g.flatten().tolist(), strict=True))
    assert theory.kkt_residual(theta, g, DECAY) == pytest.approx(by_loops, rel=1e-12, abs=1e-9)
    assert theory.frank_wolfe_gap(theta, g, DECAY) == pytest.approx(by_loops / DECAY, rel=1e-12, abs=1e-9)
    largest = max(abs(x) for x in theta.flatten().tolist())
    assert theory.box_excess(theta, DECAY) == pytest.approx(max(DECAY * largest - 1, 0), rel=1e-12)


def test_the_probe_measures_the_same():
    model = torch.nn.Linear(4, 3, dtype=torch.float64)
    batch = randn(6, 4, seed=1)
    found = probes.full_gradient(model, lambda m, x: m(x).square().mean(), [batch], weight_decay=DECAY)
    for name, param in model.named_parameters():
        expected = theory.kkt_residual(param.detach(), found.gradient[name], DECAY)
        assert found.per_parameter[name].kkt_residual == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("k", NORMS, ids=repr)
def test_the_gap_is_the_largest_decrease_over_the_set(k):
    """Of a linear function; the gradient map, turned, is where it is reached, and no other point goes beyond."""
    theta, g = inside(k, DECAY, seed=1), randn(4, 3, seed=2)
    gap = theory.frank_wolfe_gap(theta, g, DECAY, k)
    best = -k.gradient(g) / DECAY
    assert gap == pytest.approx(((theta - best) * g).sum().item(), rel=1e-10)
    for seed in range(50):
        other = inside(k, DECAY, seed=seed, share=1.0)
        assert ((theta - other) * g).sum() <= gap + 1e-12


@pytest.mark.parametrize("k", CONSTRAINED, ids=repr)
def test_at_least_0_inside_and_0_where_the_weights_answer_the_gradient(k):
    for seed in range(20):
        theta, g = inside(k, DECAY, seed=seed), 3 * randn(4, 3, seed=seed + 100)
        assert theory.kkt_residual(theta, g, DECAY, k) > 0
        assert theory.box_excess(theta, DECAY, k) == 0
        solved = -k.gradient(g) / DECAY
        size = k.value(g).item()
        assert theory.kkt_residual(solved, g, DECAY, k) == pytest.approx(0, abs=1e-10 * size)


def test_a_kkt_point_of_a_box():
    """f = |x - (3, -5, 0.2)|^2 / 2 on |x|_inf <= 2: the projection; and the residual grows away from it."""
    center = torch.tensor([3.0, -5.0, 0.2])
    solution = center.clamp(-2, 2)
    assert theory.kkt_residual(solution, solution - center, weight_decay=0.5) == pytest.approx(0, abs=1e-12)
    near = solution - 0.1 * solution.sign()
    assert theory.kkt_residual(near, near - center, weight_decay=0.5) > 0.1


def test_outside_it_may_be_negative_and_the_excess_tells():
    theta, g = torch.tensor([5.0, 0.0]), torch.tensor([-2.0, 1.0])
    assert theory.kkt_residual(theta, g, weight_decay=0.5) == 3 - 0.5 * 10
    assert theory.box_excess(theta, weight_decay=0.5) == 1.5


def test_a_conjugate_that_is_more_than_a_constraint_counts():
    """Huber's: where nothing touches the box, 0 means that f's slope is that of the ridge penalty."""
    k, theta = kappa.Huber(0.5), torch.tensor([0.3, -0.9], dtype=torch.float64)
    ridge = -0.5 * DECAY * theta
    assert theory.kkt_residual(theta, ridge, DECAY, k) == pytest.approx(0, abs=1e-15)
    moved = theory.kkt_residual(theta, ridge + 0.1, DECAY, k)
    assert moved == pytest.approx(2 * 0.1**2 / (2 * 0.5), rel=1e-9)  # half a square over e, a coordinate


@pytest.mark.parametrize("k", CONSTRAINED, ids=repr)
def test_it_falls_to_nothing_along_a_run(k):
    """Lion-K with a falling learning rate, on the quadratic: the residual is what the run drives to 0."""
    loss, theta, momentum = LOSSES[0], inside(k, DECAY, seed=3), None
    start = theory.kkt_residual(theta, gradient(loss, theta), DECAY, k)
    for number in range(1500):
        g = gradient(loss, theta)
        momentum = g if momentum is None else momentum
        lr = 0.1 * (1 - number / 1500) / (1 + number / 50)
        theta = theta - lr * (k.gradient(0.6 * momentum + 0.4 * g) + DECAY * theta)
        momentum = 0.8 * momentum + 0.2 * g
    end = theory.kkt_residual(theta, gradient(loss, theta), DECAY, k)
    assert 0 <= end + 1e-9 < 0.02 * start


def test_float32_weights_are_measured_in_float64():
    theta = torch.full((100_000,), 0.1)
    g = torch.full_like(theta, -1.0)
    exact = 100_000 * (1 - 0.5 * float(torch.tensor(0.1)))
    assert theory.kkt_residual(theta, g, 0.5) == pytest.approx(exact, rel=1e-12)


def test_refusals():
    theta, g = randn(2, 3, seed=1), randn(2, 3, seed=2)
    for measure in (theory.kkt_residual, theory.frank_wolfe_gap):
        with pytest.raises(ValueError, match=r"Invalid weight_decay: 0.0, the constraint set has the size"):
            measure(theta, g, 0.0)
        with pytest.raises(ValueError, match=r"Invalid kappa: HalfSquaredL2\(\), it must induce a constraint"):
            measure(theta, g, 0.1, kappa.HalfSquaredL2())
        with pytest.raises(ValueError, match=r"Invalid shapes: theta \(2, 3\) and gradient \(3, 2\)"):
            measure(theta, g.T, 0.1)
    with pytest.raises(ValueError, match=r"Invalid weight_decay: -1.0"):
        theory.box_excess(theta, -1.0)
    with pytest.raises(ValueError, match="HalfSquaredL2"):
        theory.box_excess(theta, 0.1, kappa.HalfSquaredL2())
    assert len(KAPPAS) == len(CONSTRAINED) + 1
    assert math.isfinite(theory.kkt_residual(theta, g, 0.1))
