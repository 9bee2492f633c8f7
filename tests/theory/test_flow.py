"""The integrator against exact solutions, the flow against the step it continues, H against its derivative."""

import itertools
import math

import pytest
import torch
from theory_problems import KAPPAS, LOSSES, SMOOTH, gradient, inside, randn

from lionkit import LionK, kappa, theory
from lionkit.theory import FlowSettings, Settings
from lionkit.theory._integrate import integrate, step_once

FLOWS = [
    FlowSettings(weight_decay=0.6, alpha=1.3, gamma=0.8, epsilon=0.5),
    FlowSettings(weight_decay=1.5, alpha=0.4, gamma=2.0, epsilon=0.5),  # epsilon * gamma = 1
    FlowSettings(weight_decay=0.3, alpha=2.0, gamma=0.5, epsilon=0.0),
]


def pendulum(state):
    return torch.stack([state[1], -state[0].sin()])


def test_one_step_is_of_fifth_order_and_its_error_estimate_of_the_fourth():
    """Slopes of the errors of one step in its size: 6 and 5, one above the order."""
    start = torch.tensor([0.7, 0.4], dtype=torch.float64)
    sizes, errors, estimates = (0.2, 0.1, 0.05), [], []
    for size in sizes:
        exact = integrate(pendulum, start, [0.0, size], rtol=1e-14, atol=1e-15)[-1]
        new, slope, estimate = step_once(pendulum, start, pendulum(start), size)
        errors.append((new - exact).norm().item())
        estimates.append(estimate.norm().item())
        torch.testing.assert_close(slope, pendulum(new))
    halvings = [[math.log2(a / b) for a, b in itertools.pairwise(x)] for x in (errors, estimates)]
    assert halvings[0] == pytest.approx([6, 6], abs=0.35)
    assert halvings[1] == pytest.approx([5, 5], abs=0.35)


@pytest.mark.parametrize("rtol", [1e-5, 1e-8, 1e-11])
def test_the_error_stays_near_the_tolerance(rtol):
    """A pendulum keeps its energy; a circle has a closed form."""
    times = [0.0, 0.3, 1.0, 7.0]

    def turn(state):
        return torch.stack([state[1], -state[0]])

    states = integrate(turn, torch.tensor([1.0, 0.0], dtype=torch.float64), times, rtol=rtol, atol=rtol)
    for time, (x, v) in zip(times, states.tolist(), strict=True):
        assert (x, v) == pytest.approx((math.cos(time), -math.sin(time)), abs=40 * rtol)
    swung = integrate(pendulum, torch.tensor([2.5, 0.0], dtype=torch.float64), [0.0, 20.0], rtol=rtol, atol=rtol)
    energies = swung[:, 1] ** 2 / 2 - swung[:, 0].cos()
    assert abs(energies[1] - energies[0]).item() < 400 * rtol


@pytest.mark.parametrize("settings", FLOWS, ids=repr)
def test_a_linear_flow_has_its_closed_form(settings):
    """With the identity for a map and a quadratic loss: the exponential of a matrix."""
    loss = LOSSES[0]
    theta, momentum = randn(12, seed=1), randn(12, seed=2)
    run = theory.flow(
        lambda x: gradient(loss, x), theta, momentum, kappa.HalfSquaredL2(), [0.0, 0.5, 3.0], settings, rtol=1e-10
    )
    one, a, look = torch.eye(12, dtype=torch.float64), settings.alpha * loss.matrix, settings.epsilon
    generator = torch.cat(
        [
            torch.cat([-look * a - settings.weight_decay * one, -(1 - look * settings.gamma) * one], 1),
            torch.cat([a, -settings.gamma * one], 1),
        ]
    )
    rest = torch.linalg.solve(generator, torch.cat([-look * a @ loss.center, a @ loss.center]))
    for time, x, m in zip(run.times, run.theta, run.momentum, strict=True):
        exact = torch.linalg.matrix_exp(time * generator) @ (torch.cat([theta, momentum]) - rest) + rest
        torch.testing.assert_close(torch.cat([x, m]), exact, rtol=0, atol=1e-8)


@pytest.mark.parametrize("k", KAPPAS, ids=repr)
def test_a_step_of_the_optimizer_is_an_euler_step(k):
    settings = Settings(lr=0.03, betas=(0.7, 0.9), weight_decay=0.8)
    loss, weight = LOSSES[2], torch.nn.Parameter(randn(4, 3, seed=4))
    options = {**vars(settings), "kappa": k}
    optimizer = LionK([weight], **options)
    start, momentum = weight.detach().clone(), randn(4, 3, seed=5)
    optimizer.state[weight]["exp_avg"] = momentum.clone()
    loss(weight).backward()
    optimizer.step()
    constants = FlowSettings.of(settings)
    force = constants.alpha * gradient(loss, start) - constants.gamma * momentum
    velocity = -k.gradient(momentum + constants.epsilon * force) - 0.8 * start
    torch.testing.assert_close(weight.detach(), start + 0.03 * velocity, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(optimizer.state[weight]["exp_avg"], momentum + 0.03 * force, rtol=1e-12, atol=1e-14)


def test_steps_come_to_the_flow_as_they_shrink():
    """Euler's method: first order, so that halving the steps halves the distance."""
    loss, k, constants = LOSSES[1], kappa.Huber(0.5), FLOWS[0]
    theta, momentum = inside(k, 0.6, seed=1), randn(4, 3, seed=2)
    exact = theory.flow(lambda x: gradient(loss, x), theta, momentum, k, [0.0, 1.0], constants).theta[-1]
    distances = []
    for num_steps in (100, 200, 400):
        x, m, size = theta, momentum, 1 / num_steps
        for _ in range(num_steps):
            force = constants.alpha * gradient(loss, x) - constants.gamma * m
            x = x + size * (-k.gradient(m + constants.epsilon * force) - constants.weight_decay * x)
            m = m + size * force
        distances.append((x - exact).norm().item())
    assert [a / b for a, b in itertools.pairwise(distances)] == pytest.approx([2, 2], rel=0.05)


def energies_along(k, loss, constants, times, seed):
    theta, momentum = inside(k, constants.weight_decay, seed=seed), randn(4, 3, seed=seed + 1)
    run = theory.flow(lambda x: gradient(loss, x), theta, momentum, k, times, constants, rtol=1e-12, atol=1e-13)
    energies = [theory.flow_energy(loss(x), x, m, k, constants) for x, m in zip(run.theta, run.momentum, strict=True)]
    return run, energies


def directions(loss, run, constants):
    """What the flow looks at, at its two ends."""
    ends = [(run.theta[i], run.momentum[i]) for i in (0, -1)]
    return [m + constants.epsilon * (constants.alpha * gradient(loss, x) - constants.gamma * m) for x, m in ends]


@pytest.mark.parametrize("constants", FLOWS, ids=repr)
@pytest.mark.parametrize("loss", LOSSES, ids=lambda f: type(f).__name__)
@pytest.mark.parametrize("k", KAPPAS, ids=repr)
def test_the_derivative_of_h_is_its_closed_form(k, loss, constants):
    """By central differences of fourth order along the flow, over a stretch without a jump of the map."""
    size = 2e-4
    run, energies = energies_along(k, loss, constants, [i * size for i in range(5)], seed=21)
    for ends in (run.momentum[[0, -1]], directions(loss, run, constants)):
        assert (k.gradient(ends[1]) - k.gradient(ends[0])).abs().max() < 0.1, "a jump: take another seed"
    h = [energy.total for energy in energies]
    numerical = (h[0] - 8 * h[1] + 8 * h[3] - h[4]) / (12 * size)
    theta, momentum = run.theta[2], run.momentum[2]
    closed = theory.flow_decrease(theta, momentum, gradient(loss, theta), k, constants)
    assert closed.rate == pytest.approx(numerical, rel=1e-6)
    assert closed.rate < 0
    assert min(closed.alignment, closed.look_ahead) >= -1e-13
    if constants.epsilon == 0 or constants.epsilon * constants.gamma == 1:
        assert closed.look_ahead == pytest.approx(0, abs=1e-13)


@pytest.mark.parametrize("constants", FLOWS[:2], ids=repr)
@pytest.mark.parametrize("k", SMOOTH, ids=repr)
def test_h_falls_all_the_way_and_the_residual_with_it(k, constants):
    loss = LOSSES[1]
    run, energies = energies_along(k, loss, constants, [0.0, 0.5, 1.0, 2.0, 5.0, 20.0, 80.0], seed=5)
    totals = [energy.total for energy in energies]
    assert all(b < a + 1e-10 for a, b in itertools.pairwise(totals))
    assert energies[-1].misalignment == pytest.approx(0, abs=1e-4)
    scaled = gradient(loss, run.theta[-1]) * constants.alpha / constants.gamma  # m at rest
    torch.testing.assert_close(k.gradient(scaled), -constants.weight_decay * run.theta[-1], rtol=0, atol=1e-2)


def test_without_decay_h_is_loss_and_momentum():
    constants = FlowSettings(weight_decay=0.0, alpha=1.3, gamma=0.8, epsilon=0.5)
    loss, k = LOSSES[2], kappa.Relativistic(0.3)
    theta, momentum = randn(4, 3, seed=1), randn(4, 3, seed=2)
    energy = theory.flow_energy(loss(theta), theta, momentum, k, constants)
    expected = 1.3 * loss(theta) + (1 - 0.5 * 0.8) * k.value(momentum)
    assert energy.total == pytest.approx(expected.item(), rel=1e-12)
    times = [i * 2e-3 for i in range(5)]
    run = theory.flow(lambda x: gradient(loss, x), theta, momentum, k, times, constants, rtol=1e-12, atol=1e-13)
    h = [theory.flow_energy(loss(x), x, m, k, constants).total for x, m in zip(run.theta, run.momentum, strict=True)]
    closed = theory.flow_decrease(run.theta[2], run.momentum[2], gradient(loss, run.theta[2]), k, constants)
    assert closed.rate == pytest.approx((h[0] - 8 * h[1] + 8 * h[3] - h[4]) / (12 * 2e-3), rel=1e-6)


def test_a_jump_is_said_so():
    """Lion's own flow slides along its sign's jump, where no integrator of smooth equations can follow."""
    with pytest.raises(RuntimeError, match=r"cannot be followed beyond t = .*: its field jumps, or is too stiff"):
        theory.flow(lambda x: x, torch.tensor([0.3, 0.1]), torch.zeros(2), kappa.L1(), [0.0, 50.0], FlowSettings(0.5))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": 3.0}, r"Invalid epsilon \* gamma: 3.0, the flow needs at most 1"),
        ({"gamma": 0.0}, "Invalid gamma: 0.0, it must be finite and above 0"),
        ({"alpha": -1.0}, "Invalid alpha: -1.0"),
        ({"weight_decay": -0.1}, "Invalid weight_decay: -0.1"),
        ({"epsilon": math.nan}, "Invalid epsilon: nan"),
    ],
)
def test_constants_out_of_range(change, message):
    with pytest.raises(ValueError, match=message):
        FlowSettings(**{"weight_decay": 0.5, **change})


@pytest.mark.parametrize(("times", "rtol"), [([0.0, 1.0, 1.0], 1e-8), ([], 1e-8), ([0.0, 1.0], 0.0)])
def test_times_and_tolerances_out_of_range(times, rtol):
    start = torch.ones(2)
    with pytest.raises(ValueError, match=r"Invalid (times|rtol)"):
        theory.flow(lambda x: x, start, start, kappa.HalfSquaredL2(), times, FlowSettings(0.5), rtol=rtol)
