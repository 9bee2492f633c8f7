"""The Lyapunov function falls step by step as promised, for every kappa of the library; and the two phases."""

import inspect
import math

import pytest
import torch
from theory_problems import CONSTRAINED, KAPPAS, LOSSES, gradient, inside, randn

from lionkit import kappa, theory
from lionkit.theory import Settings

SETTINGS = [
    Settings(lr=0.05, betas=(0.9, 0.99), weight_decay=0.4),
    Settings(lr=0.2, betas=(0.7, 0.7), weight_decay=1.5),
    Settings(lr=0.01, betas=(0.0, 0.5), weight_decay=0.05),
    Settings(lr=0.6, betas=(0.3, 0.95), weight_decay=1.2),  # most of a weight decays in a step
]
NUM_STEPS = 40


def step(theta, momentum, g, k, settings):
    """The optimizers' step, written out: the decay acts on the weights it starts from."""
    beta1, beta2 = settings.betas
    direction = k.gradient(beta1 * momentum + (1 - beta1) * g)
    new = theta - settings.lr * (direction + settings.weight_decay * theta)
    return new, beta2 * momentum + (1 - beta2) * g


def run(loss, k, settings, noise=0.0):
    """Yield H before and after each step, and the promise."""
    theta = inside(k, settings.weight_decay, seed=7) if settings.weight_decay else randn(4, 3, seed=7)
    momentum = randn(4, 3, seed=8)
    for number in range(NUM_STEPS):
        full = gradient(loss, theta)
        g = full + noise * randn(4, 3, seed=100 + number)
        promise = theory.decrease(
            theta, momentum, g, k, settings, smoothness=loss.smoothness, full_gradient=full if noise else None
        )
        before = theory.energy(loss(theta), theta, momentum, k, settings)
        theta, momentum = step(theta, momentum, g, k, settings)
        yield before, theory.energy(loss(theta), theta, momentum, k, settings), promise


def test_every_kappa_of_the_library_is_here():
    public = {k for k in vars(kappa).values() if inspect.isclass(k) and issubclass(k, kappa.Kappa)}
    assert {type(k) for k in KAPPAS} == public - {kappa.Kappa}


@pytest.mark.parametrize("noise", [0.0, 0.5])
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: f"{s.betas}")
@pytest.mark.parametrize("loss", LOSSES, ids=lambda f: type(f).__name__)
@pytest.mark.parametrize("k", KAPPAS, ids=repr)
def test_every_step_keeps_the_promise(k, loss, settings, noise):
    for before, after, promise in run(loss, k, settings, noise):
        assert math.isfinite(before.total)
        scale = 1 + abs(before.total) + abs(promise.curvature)
        assert after.total - before.total <= promise.change + 1e-12 * scale
        assert min(before.misalignment, promise.alignment, promise.look_ahead) >= -1e-12 * scale
        assert (promise.noise == 0) == (noise == 0)


@pytest.mark.parametrize("k", KAPPAS, ids=repr)
def test_without_decay(k):
    settings = Settings(lr=0.05, betas=(0.6, 0.9))
    for before, after, promise in run(LOSSES[0], k, settings):
        assert before.penalty == 0
        assert after.total - before.total <= promise.change + 1e-12 * (1 + abs(before.total))


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: f"{s.betas}")
def test_what_is_lost_is_known_where_all_is_quadratic(settings):
    """With f and kappa half squares, the promise loses two convexity gaps and nothing else: an identity."""

    class Square:
        smoothness = 1.7

        def __call__(self, theta):
            return self.smoothness * theta.square().sum() / 2

    loss, k = Square(), kappa.HalfSquaredL2()
    theta, momentum = randn(4, 3, seed=3), randn(4, 3, seed=4)
    decay, eps, (beta1, beta2) = settings.weight_decay, settings.implicit_lr, settings.betas
    weight = eps * beta1 / (eps * decay * (1 - beta1) + 1 - beta2)
    for _ in range(20):
        g = gradient(loss, theta)
        promise = theory.decrease(theta, momentum, g, k, settings, smoothness=loss.smoothness)
        before = theory.energy(loss(theta), theta, momentum, k, settings)
        moved, kept = step(theta, momentum, g, k, settings)
        after = theory.energy(loss(moved), moved, kept, k, settings)
        lost = (1 / decay + weight) * (decay * (moved - theta)).square().sum() / 2
        lost += weight * (kept - momentum).square().sum() / 2
        assert after.total - before.total == pytest.approx(promise.change - lost.item(), abs=1e-12 * before.total)
        theta, momentum = moved, kept


@pytest.mark.parametrize("k", [kappa.L1(), kappa.HalfSquaredL2(), kappa.Huber(0.3)], ids=repr)
def test_the_curvature_has_its_price(k):
    """Without that term, some step breaks the promise."""
    steps = [parts for settings in SETTINGS for loss in LOSSES for parts in run(loss, k, settings)]
    assert any(after.total - before.total > promise.change - promise.curvature for before, after, promise in steps)


def test_against_the_formulas_written_out():
    """A second implementation of both functions, on numbers, for the sign."""
    settings = Settings(lr=0.1, betas=(0.6, 0.8), weight_decay=0.5)
    theta, momentum, g = (torch.tensor(x, dtype=torch.float64) for x in ([1.0, -0.4], [0.3, -0.2], [-0.1, 0.7]))
    eps = 0.1 / (1 - 0.1 * 0.5)
    d = eps * 0.5 * (1 - 0.6) + (1 - 0.8)
    aligned = (0.3 + 0.2) + 0.5 * (1.0 * 0.3 + 0.4 * 0.2)
    energy = theory.energy(2.0, theta, momentum, kappa.L1(), settings)
    assert (energy.loss, energy.penalty) == (2.0, 0.0)
    assert energy.misalignment == pytest.approx(eps * 0.6 / d * aligned, rel=1e-12)

    c = 0.6 * 0.3 + 0.4 * -0.1, 0.6 * -0.2 + 0.4 * 0.7  # 0.14, 0.16
    after = 1.0 - 0.1 * (1 + 0.5 * 1.0), -0.4 - 0.1 * (1 + 0.5 * -0.4)  # 0.85, -0.48
    v = 1 + 0.5 * after[0], 1 + 0.5 * after[1]
    new_m = 0.8 * 0.3 + 0.2 * -0.1, 0.8 * -0.2 + 0.2 * 0.7  # 0.22, -0.02: the sign of the second differs from c's
    promise = theory.decrease(theta, momentum, g, kappa.L1(), settings, smoothness=3.0, full_gradient=g + 0.2)
    a = (eps * 0.5 + 0.2) / d
    assert promise.alignment == pytest.approx(eps * a * (v[0] * c[0] + v[1] * c[1]), rel=1e-12)
    look_ahead = eps * 0.6 * 0.2 / (d * 0.2) * (-2 * (new_m[1] - c[1]))
    assert promise.look_ahead == pytest.approx(look_ahead, rel=1e-12)
    assert promise.curvature == pytest.approx(3 * eps**2 / 2 * (v[0] ** 2 + v[1] ** 2), rel=1e-12)
    assert promise.noise == pytest.approx(eps * -0.2 * (v[0] + v[1]), rel=1e-12)
    assert promise.change == pytest.approx(
        -promise.alignment - promise.look_ahead + promise.curvature + promise.noise, rel=1e-12
    )


@pytest.mark.parametrize("k", CONSTRAINED, ids=repr)
def test_phase_1_contracts_for_any_gradients(k):
    settings = SETTINGS[0]
    theta, momentum = inside(k, settings.weight_decay, seed=5, share=50.0), randn(4, 3, seed=6)
    start = theory.box_excess(theta, settings.weight_decay, k)
    assert theory.phase(theta, settings.weight_decay, k) == 1
    assert theory.energy(1.0, theta, momentum, k, settings).total == math.inf
    for number in range(1, 400):
        theta, momentum = step(theta, momentum, 10 * randn(4, 3, seed=number), k, settings)
        left = theory.contraction([settings.lr] * number, settings.weight_decay)
        assert theory.box_excess(theta, settings.weight_decay, k) <= left * start + 1e-13
    assert theory.contraction([0.3, 0.1], 2.0) == pytest.approx(0.4 * 0.8)


def test_the_box_is_entered_at_exactly_this_pace():
    """Lion's weights, pushed outwards by every step: the distance shrinks by 1 - lr wd and not faster."""
    lr, decay = 0.03, 0.7
    box = theory.theorem2_i(lr, decay)
    start = torch.tensor([9.0, -4.0, 1.6], dtype=torch.float64)
    theta, momentum = start, -start
    for number in range(1, 300):
        theta, momentum = step(theta, momentum, -start, kappa.L1(), Settings(lr, (0.9, 0.99), decay))
        expected = (start.abs() - box.radius) * (1 - lr * decay) ** number
        torch.testing.assert_close(theta.abs() - box.radius, expected, rtol=0, atol=1e-14)
        assert theta.abs().max().item() == pytest.approx(box.largest(9.0, number), rel=1e-14)


@pytest.mark.parametrize("k", CONSTRAINED, ids=repr)
def test_what_is_inside_stays(k):
    settings = SETTINGS[3]
    theta, momentum = inside(k, settings.weight_decay, seed=5, share=1.0), randn(4, 3, seed=6)
    for number in range(200):
        theta, momentum = step(theta, momentum, 10 * randn(4, 3, seed=number), k, settings)
        assert theory.phase(theta, settings.weight_decay, k) == 2


def test_beyond_its_condition_the_box_is_left():
    """The counter-example to a box without lr * wd <= 1: one step from its centre is outside of it."""
    lr, decay = 1.5, 1.0
    theta = torch.zeros(1, dtype=torch.float64) - lr * kappa.L1().gradient(torch.ones(1, dtype=torch.float64))
    assert theory.box_excess(theta, decay) == 0.5
    with pytest.raises(ValueError, match=r"Invalid lr \* weight_decay: 1.5, Theorem 2 \(i\) needs at most 1"):
        Settings(lr, (0.9, 0.99), decay)


def test_newton_schulz_is_no_gradient_and_leaves_the_ball():
    k = kappa.Spectral(steps=5)
    settings = Settings(lr=0.5, betas=(0.0, 0.0), weight_decay=2.0)
    theta = step(torch.zeros(4, 3, dtype=torch.float64), randn(4, 3, seed=1), randn(4, 3, seed=2), k, settings)[0]
    assert theory.box_excess(theta, settings.weight_decay, k) > 0.01
