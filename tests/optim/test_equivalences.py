"""Members and kappas beside the methods that they are said to equal, elementwise over 100 steps."""

import math

import pytest
import torch
from members import MATRICES, SHAPES, closure_of, parameters, quadratic, sign_mismatches, train

from lionkit import kappa, optim

STEPS = 100


def both(ours, theirs, params, others, steps=STEPS):
    """Step both on the same gradients, of two lists of parameters."""
    train(ours, params, steps)
    train(theirs, others, steps)


def by_hand(params, update, steps=STEPS):
    """Run a rule written out for one tensor: ``update(theta, g, kept)`` changes theta and kept in place."""
    loss_of, draw = quadratic(params, noise=0.5)
    kept = [{} for _ in params]
    for _ in range(steps):
        for param in params:
            param.grad = None
        loss_of(draw()).backward()
        with torch.no_grad():
            for param, state in zip(params, kept, strict=True):
                update(param, param.grad, state)


def assert_close(ours, theirs, atol=1e-12):
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.detach(), b.detach(), rtol=0, atol=atol)
    assert any((p.detach() - q.detach()).abs().max() > 0.1 for p, q in zip(ours, parameters(), strict=False))


def test_half_squared_l2_is_torch_sgd_with_momentum():
    """torch's buffer is m / (1 - beta) for equal betas: its lr is ours times 1 - beta; coupled decay put apart."""
    params, others = parameters(), parameters()
    lr, beta, decay = 0.05, 0.8, 0.3
    ours = optim.LionK(params, lr=lr, betas=(beta, beta), weight_decay=decay, kappa=kappa.HalfSquaredL2())
    theirs = torch.optim.SGD(others, lr=lr * (1 - beta), momentum=beta)
    train(ours, params, STEPS)
    next_batch = closure_of(theirs, others, noise=0.5)
    for _ in range(STEPS):
        next_batch()()
        for param in others:
            param.data.mul_(1 - lr * decay)
        theirs.step()
    assert_close(params, others)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("adjust", ["original", "match_rms_adamw"])
def test_muon_is_torchs(nesterov, adjust):
    """In float64, whose last bits do not show in the bfloat16 that Newton-Schulz steps begin with."""
    params, others = parameters(MATRICES), parameters(MATRICES)
    settings = {"lr": 0.03, "momentum": 0.9, "weight_decay": 0.3, "nesterov": nesterov}
    both(
        optim.Muon(params, **settings, adjust=adjust),
        torch.optim.Muon(others, **settings, adjust_lr_fn=adjust),
        params,
        others,
    )
    assert_close(params, others)


@pytest.mark.parametrize(
    ("geometry", "direction"),
    [
        (kappa.Entropy(0.5), lambda c: torch.tanh(2 * c)),  # optax's "smooth", beta = 2
        (kappa.Huber(1.0), lambda c: torch.where(c.abs() < 1, c, c.sign())),  # its "refined"
        (kappa.Arctan(0.25), lambda c: 2 / math.pi * torch.arctan(4 * c)),
    ],
    ids=repr,
)
def test_smooth_lions(geometry, direction):
    """The rules of these modes, written out: optax is no dependency of the tests."""
    params, others = parameters(), parameters()
    lr, (beta1, beta2), decay = 0.02, (0.8, 0.95), 0.3

    def update(theta, g, kept):
        m = kept.setdefault("m", torch.zeros_like(g))
        step = direction(beta1 * m + (1 - beta1) * g)
        theta.mul_(1 - lr * decay).sub_(lr * step)
        kept["m"] = beta2 * m + (1 - beta2) * g

    train(optim.LionK(params, lr=lr, betas=(beta1, beta2), weight_decay=decay, kappa=geometry), params, STEPS)
    by_hand(others, update)
    assert_close(params, others)


@pytest.mark.parametrize("name", ["SignSGD", "Signum", "Tiger"])
def test_signs_of_one_momentum(name):
    """And Lion with equal betas, to the bit."""
    params, others, lions = parameters(), parameters(), parameters()
    lr, decay, beta = 0.01, 0.3, {"SignSGD": 0.0}.get(name, 0.85)
    more = {} if name == "SignSGD" else {"beta": beta}

    def update(theta, g, kept):
        kept["m"] = beta * kept.get("m", 0) + (1 - beta) * g
        theta.mul_(1 - lr * decay).sub_(lr * kept["m"].sign())

    train(getattr(optim, name)(params, lr=lr, weight_decay=decay, **more), params, STEPS)
    train(optim.Lion(lions, lr=lr, betas=(beta, beta), weight_decay=decay), lions, STEPS)
    by_hand(others, update)
    assert all(torch.equal(a, b) for a, b in zip(params, lions, strict=True))
    assert sign_mismatches(params, others, lr) == 0
    assert_close(params, others)


def test_group_l2_is_normalised_descent():
    params, others = parameters([(5, 3), (7,)]), parameters([(5, 3), (7,)])
    lr, decay, beta = 0.05, 0.3, 0.9

    def update(theta, g, kept):
        kept["m"] = beta * kept.get("m", 0) + (1 - beta) * g
        theta.mul_(1 - lr * decay).sub_(lr * kept["m"] / kept["m"].norm())

    train(optim.LionK(params, lr=lr, betas=(beta, beta), weight_decay=decay, kappa=kappa.GroupL2()), params, STEPS)
    by_hand(others, update)
    assert_close(params, others)


@pytest.mark.parametrize("exact", [False, True])
def test_mars_without_a_correction_is_lion(exact):
    params, others = parameters(), parameters()
    ours = optim.MARSLion(params, lr=0.01, beta=0.8, weight_decay=0.3, gamma=0.0, max_norm=math.inf, exact=exact)
    both(ours, optim.Lion(others, lr=0.01, betas=(0.8, 0.8), weight_decay=0.3), params, others)
    assert all(torch.equal(a, b) for a, b in zip(params, others, strict=True))


def test_mars_is_its_algorithm():
    """With the clipping, which the first gradients here call for, and a first difference to 0."""
    params, others = parameters(), parameters()
    lr, decay, beta, gamma = 0.01, 0.3, 0.8, 0.2

    def update(theta, g, kept):
        c = g + gamma * beta / (1 - beta) * (g - kept.get("g", torch.zeros_like(g)))
        c = c / c.norm().clamp(min=1)
        kept["m"] = beta * kept.get("m", 0) + (1 - beta) * c
        theta.mul_(1 - lr * decay).sub_(lr * kept["m"].sign())
        kept["g"] = g.clone()

    train(optim.MARSLion(params, lr=lr, beta=beta, weight_decay=decay, gamma=gamma), params, STEPS)
    by_hand(others, update)
    assert sign_mismatches(params, others, lr) == 0
    assert_close(params, others)


def two_point_by_hand(params, rule, steps):
    """Run a rule that gets the gradient of a batch here and at the weights before."""
    loss_of, draw = quadratic(params, noise=0.5)
    before, kept = None, [{} for _ in params]
    for _ in range(steps):
        batch, gradients = draw(), []
        here = [param.detach().clone() for param in params]
        for place in (before or here, here):
            for param, value in zip(params, place, strict=True):
                param.data.copy_(value)
                param.grad = None
            loss_of(batch).backward()
            gradients.append([param.grad.clone() for param in params])
        before = here
        with torch.no_grad():
            for param, then, now, state in zip(params, *gradients, kept, strict=True):
                rule(param, now, then, state)


@pytest.mark.parametrize("maximize", [False, True])
def test_lion_vr_is_its_algorithm(maximize):
    params, others = parameters(), parameters()
    lr, decay, (beta1, beta2), sign = 0.01, 0.3, (0.7, 0.9), -1 if maximize else 1

    def rule(theta, now, then, kept):
        now, then = sign * now, sign * then
        m = kept.setdefault("m", now.clone())
        theta.mul_(1 - lr * decay).sub_(lr * (beta1 * m + (1 - beta1) * now).sign())
        kept["m"] = beta2 * m + (1 - beta2) * now + beta2 * (now - then)

    train(optim.LionVR(params, lr=lr, betas=(beta1, beta2), weight_decay=decay, maximize=maximize), params, STEPS)
    two_point_by_hand(others, rule, STEPS)
    assert sign_mismatches(params, others, lr) == 0
    assert_close(params, others)


def test_exact_mars_is_its_algorithm():
    params, others = parameters(), parameters()
    lr, decay, beta, gamma = 0.01, 0.3, 0.8, 0.6

    def rule(theta, now, then, kept):
        c = now + gamma * beta / (1 - beta) * (now - then)
        kept["m"] = beta * kept.get("m", 0) + (1 - beta) * c / c.norm().clamp(min=1)
        theta.mul_(1 - lr * decay).sub_(lr * kept["m"].sign())

    train(optim.MARSLion(params, lr=lr, beta=beta, weight_decay=decay, gamma=gamma, exact=True), params, STEPS)
    two_point_by_hand(others, rule, STEPS)
    assert sign_mismatches(params, others, lr) == 0
    assert_close(params, others)


def test_mlorc_of_full_rank_is_lion():
    """Up to the rounding of a singular value decomposition: no sign of any weight differs in 100 steps."""
    params, others = parameters(), parameters()
    settings = {"lr": 0.01, "betas": (0.8, 0.95), "weight_decay": 0.3}
    both(optim.MLorcLion(params, **settings, rank=3), optim.Lion(others, **settings), params, others)
    assert sign_mismatches(params, others, 0.01) == 0
    assert_close(params, others)


def test_mlorc_of_rank_1_keeps_the_largest_part_of_a_matrix():
    params = parameters([(5, 3)])
    ours = optim.MLorcLion(params, lr=0.01, betas=(0.8, 0.9), rank=1)
    params[0].grad = torch.outer(torch.arange(5.0), torch.tensor([1.0, -2, 3])).double()
    ours.step()
    kept = ours.state[params[0]]
    momentum = (kept["exp_avg_left"] * kept["exp_avg_sizes"]) @ kept["exp_avg_right"]
    torch.testing.assert_close(momentum, 0.1 * params[0].grad, rtol=0, atol=1e-13)


def test_igt_is_exact_on_a_quadratic_without_noise():
    """The momentum is the gradient at the weights, and the path that of sign descent by exact gradients."""
    params, others = parameters(), parameters()
    igt = optim.LionIGT(params, lr=0.01, beta=0.9, weight_decay=0.3)
    exact = optim.SignSGD(others, lr=0.01, weight_decay=0.3)
    ahead, here = closure_of(igt, params), closure_of(exact, others)
    for _ in range(STEPS):
        igt.step(ahead())
        exact.step(here())
        for param, other in zip(params, others, strict=True):
            torch.testing.assert_close(igt.state[param]["exp_avg"], other.grad, rtol=0, atol=1e-11)
    igt.eval()
    assert sign_mismatches(params, others, 0.01) == 0
    assert_close(params, others)


def test_eval_restores_the_weights_and_train_the_point_ahead_to_the_bit():
    params = parameters(dtype=torch.bfloat16)
    igt = optim.LionIGT(params, lr=0.02, beta=0.8)
    train(igt, params, 5)
    ahead = [param.detach().clone() for param in params]
    weights = [igt.state[param]["weights"].clone() for param in params]
    for _ in range(2):
        for put, values in ((igt.eval, weights), (igt.train, ahead)):
            put()
            put()  # a second time it does nothing
            assert all(torch.equal(a, b) for a, b in zip(params, values, strict=True))
    assert not torch.equal(ahead[0], weights[0])
    igt.eval()
    with pytest.raises(RuntimeError, match=r"step\(\) after eval\(\): call train\(\) first"):
        igt.step()


def test_stochastic_signs_are_right_on_average():
    """The mean over draws of the step is m / G, within four of its standard errors at nearly every weight."""
    draws, size = 4000, 500
    momentum = torch.randn(size, dtype=torch.float64)
    largest = momentum.abs() * (1 + torch.rand(size, dtype=torch.float64))
    moves = torch.zeros(size, dtype=torch.float64)
    weight = torch.nn.Parameter(torch.zeros(size, dtype=torch.float64))
    stepper = optim.StoSignSGD([weight], lr=1.0, beta=0.8, seed=3)
    for _ in range(draws):
        weight.data.zero_()
        stepper.state[weight] = {"exp_avg": momentum.clone(), "largest": largest.clone()}
        weight.grad = momentum.clone()
        stepper.step()
        moves -= weight.detach()
    expected = momentum / largest
    error = ((1 - expected.square()) / draws).sqrt()
    deviations = ((moves / draws - expected) / error).abs()
    assert (deviations > 4).sum() == 0
    assert deviations.square().mean().item() == pytest.approx(1, abs=0.3)


def test_stochastic_signs_reach_no_further_than_the_largest_momentum():
    params = parameters(SHAPES)
    stepper = optim.StoSignSGD(params, lr=0.01, beta=0.8)
    train(stepper, params, 20)
    for param in params:
        kept = stepper.state[param]
        assert (kept["largest"] >= kept["exp_avg"].abs()).all()
