"""Every refusal names the quantity, its value and the condition of the theorem."""

import math

import pytest
import torch

from lionkit import theory
from lionkit.kappa import L1
from lionkit.theory import Constants, Problem, Scale, Settings

PROBLEM = Problem(dim=100, smoothness=2.0, noise=4.0, gap=8.0)
SILENT = Problem(dim=100, smoothness=2.0, noise=0.0, gap=8.0)
CONSTANTS = Constants(2.0, 3.0, 0.5)
SETTINGS = Settings(0.1, (0.9, 0.99), 0.5)
MANY = 10**6

REFUSALS = {
    "Invalid dim: 0, it must be a count": lambda: Problem(0, 1.0, 1.0, 1.0),
    "Invalid dim: 2.5, it must be a count": lambda: Problem(2.5, 1.0, 1.0, 1.0),
    "Invalid smoothness: 0.0, it must be finite and above 0": lambda: Problem(1, 0.0, 1.0, 1.0),
    "Invalid smoothness: inf, it must be finite and above 0": lambda: Problem(1, math.inf, 1.0, 1.0),
    "Invalid noise: -1.0, it must be finite and at least 0": lambda: Problem(1, 1.0, -1.0, 1.0),
    "Invalid noise: nan, it must be finite and at least 0": lambda: Problem(1, 1.0, math.nan, 1.0),
    "Invalid gap: -2.0, it must be finite and above 0": lambda: Problem(1, 1.0, 1.0, -2.0),
    "Invalid num_gradients: 0, it must be finite and above 0": lambda: PROBLEM.averaged(0),
    "Invalid noise: 0.0, Corollary 3 divides by it: it must be above 0": lambda: theory.corollary3(SILENT, MANY),
    "Invalid noise: 0.0, Corollary 3 divides by it": lambda: theory.plan(SILENT, MANY),
    "Invalid steps: 3, Corollary 3 needs at least 4096": lambda: theory.corollary3(Problem(9, 1.0, 4.0, 1.0), 3),
    "Invalid steps: 8, Theorem 2 needs at least max(c1, c2)^2 = 9": lambda: theory.theorem2(PROBLEM, 8, CONSTANTS),
    "Invalid steps: 0, it must be a count": lambda: theory.lemma6(PROBLEM, 0, SETTINGS),
    "Invalid start_error: -1.0": lambda: theory.lemma6(PROBLEM, 9, SETTINGS, start_error=-1.0),
    "Invalid c2: 0.0, it must be finite and above 0": lambda: Constants(1.0, 0.0, 1.0),
    "Invalid lr: 0.0, it must be finite and above 0": lambda: Settings(0.0, (0.9, 0.99)),
    "Invalid betas[1]: 1.0, it must be in [0, 1)": lambda: Settings(0.1, (0.9, 1.0)),
    "Invalid betas: (0.9,), there must be two": lambda: Settings(0.1, (0.9,)),
    "Invalid weight_decay: -0.1, it must be finite and at least 0": lambda: Settings(0.1, (0.9, 0.99), -0.1),
    "Invalid lr * weight_decay: 2.0, Theorem 2 (i) needs at most 1": lambda: theory.theorem2_i(4.0, 0.5),
    "Invalid lr * weight_decay: 1.0, the implicit form": lambda: Settings(2.0, (0.9, 0.99), 0.5).implicit_lr,
    "Invalid weight_decay: 0.0, the constraint set has the size 1 / weight_decay": lambda: theory.theorem2_i(0.1, 0.0),
    "Invalid weight_decay: 0.3, Theorem 4 needs at most 1 / (2 C) = 0.25 with C = 2.0": lambda: theory.theorem4(
        PROBLEM, MANY, CONSTANTS, weight_decay=0.3, radius=2.0
    ),
    "Invalid radius: 0.0, it must be finite and above 0": lambda: theory.corollary5(
        PROBLEM, MANY, weight_decay=0.1, radius=0.0
    ),
    "Invalid start: -1.0, it must be finite and at least 0": lambda: theory.reach(-1.0, 5, SETTINGS),
    "Invalid batch: 0.0, it must be finite and above 0": lambda: Scale(1, 1, 0.0),
    "Invalid lr * weight_decay: 1.5, Theorem 2 (i) needs 0 to 1": lambda: theory.contraction([0.1, 3.0], 0.5),
    "Invalid steps: 3, Theorem 3 of arXiv 2508.12327 needs T >= n = 4": lambda: theory.distributed_rate(PROBLEM, 3, 4),
    "Invalid steps: 8, Theorem 4 of arXiv 2508.12327 needs T >= n^2 = 9": lambda: theory.distributed_vr_rate(
        PROBLEM, 8, 3
    ),
    "Invalid workers: 0, it must be a count": lambda: theory.one_bit_rate(PROBLEM, 8, 0),
    "Invalid smallest_entry: 0.0, it must be finite and above 0": lambda: theory.lion_stability_rate(10, 10, 0.0),
    "Invalid num_samples: 0, it must be a count": lambda: theory.clion_stability_rate(0),
}


@pytest.mark.parametrize("message", REFUSALS)
def test_refusal(message):
    with pytest.raises(ValueError, match="Invalid") as raised:
        REFUSALS[message]()
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


FLOW = theory.FlowSettings(0.5)
SHAPES = {
    "theta (2,) and gradient (3,)": lambda two, three: theory.kkt_residual(two, three, 0.5),
    "theta (2,) and momentum (3,)": lambda two, three: theory.energy(1.0, two, three, L1(), SETTINGS),
    "theta (3,) and momentum (2,)": lambda two, three: theory.flow_energy(1.0, three, two, L1(), FLOW),
    "theta (2,) and momentum (2,) and gradient (3,)": lambda two, three: theory.flow_decrease(
        two, two, three, L1(), FLOW
    ),
    "theta (2,) and momentum (3,), ": lambda two, three: theory.flow(torch.sin, two, three, L1(), [0.0, 1.0], FLOW),
    "theta (3,) and momentum (3,) and gradient (3,) and full_gradient (2,)": lambda two, three: theory.decrease(
        three, three, three, L1(), SETTINGS, smoothness=1.0, full_gradient=two
    ),
}


@pytest.mark.parametrize("words", SHAPES)
def test_shapes_are_not_broadcast(words):
    with pytest.raises(ValueError, match="they must be the same") as raised:
        SHAPES[words](torch.zeros(2), torch.zeros(3))
    assert str(raised.value).startswith(f"Invalid shapes: {words}")


def test_betas_in_the_order_that_has_no_lyapunov_function():
    weights = torch.zeros(2)
    backwards = Settings(0.1, (0.99, 0.9))
    for function in (
        lambda: theory.energy(1.0, weights, weights, L1(), backwards),
        lambda: theory.decrease(weights, weights, weights, L1(), backwards, smoothness=1.0),
    ):
        with pytest.raises(ValueError, match=r"Invalid betas: \(0.99, 0.9\), the Lyapunov function needs"):
            function()
    with pytest.raises(ValueError, match=r"Invalid smoothness: 0.0"):
        theory.decrease(weights, weights, weights, L1(), SETTINGS, smoothness=0.0)
