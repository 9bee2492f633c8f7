"""`observe`: the statistics of a step against plain torch on copies, at the right steps, and without a trace."""

import math
from copy import deepcopy

import pytest
import torch
from torch_database import FOREACH, SETTINGS, assert_same, give_grads, momenta, parameters, run

import lionkit
from lionkit import momentum

SHAPES = [(70, 60), (7,), (), (0, 4)]


def flat(tensors):
    parts = [torch.view_as_real(one) if one.is_complex() else one for one in tensors]
    return torch.cat([part.detach().double().flatten() for part in parts])


def by_hand(params, grads, momenta, *, betas, weight_decay, sign=1):
    """All coordinates as three vectors of float64."""
    theta, g, m = flat(params), sign * flat(grads), flat(momenta)
    c = betas[0] * m + (1 - betas[0]) * g
    return {
        "grad_l1": g.abs().sum(),
        "grad_sq": g.dot(g),
        "c_l1": c.abs().sum(),
        "theta_c": theta.dot(c),
        "theta_m": theta.dot(m),
        "momentum_l1": m.abs().sum(),
        "theta_max": theta.abs().max(),
        "num_zero": (c == 0).sum(),
        "num_agree": (c * g > 0).sum(),
        "num_on_box": (weight_decay * theta.abs() >= 0.999).sum(),
        "c_min": c[c != 0].abs().min(),
        "numel": torch.tensor(len(theta)),
        "kkt_residual": c.abs().sum() + weight_decay * theta.dot(c),
        "grad_l2": g.norm(),
        "ratio": g.abs().sum() / g.norm(),
        "ratio_over_sqrt_dim": g.abs().mean() / g.square().mean().sqrt(),
        "saturation": (weight_decay * theta.abs() >= 0.999).double().mean(),
        "zero_share": (c == 0).double().mean(),
        "agreement_share": (c * g > 0).double().mean(),
        "tau": c[c != 0].abs().min(),
    }


def assert_measured(statistics, expected, rel):
    for name, value in expected.items():
        near = pytest.approx(value.item(), rel=rel, abs=rel * expected["c_l1"].item())
        assert getattr(statistics, name) == near, name


@FOREACH
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.complex64], ids=str)
@pytest.mark.parametrize(
    "options",
    [{}, {"maximize": True}, {"momentum_dtype": "int8"}, {"weight_rounding": "kahan"}, {"momentum_dtype": "bfloat16"}],
    ids=str,
)
def test_a_step_is_measured_as_by_hand(foreach, dtype, options):
    params = parameters(dtype, SHAPES)
    stepper = lionkit.Lion(params, **SETTINGS, foreach=foreach, **options)
    run(stepper, params)
    observation = stepper.observe()
    give_grads(params, seed=9)
    with torch.no_grad():
        params[0].grad[3] = 0
        params[0][0, :2] = 2.5  # on the box of 1 / 0.4
    before = [momentum.decode_state(stepper.state[param], param) for param in params]
    compensations = [stepper.state[param].get("compensation", torch.zeros(())) for param in params]
    thetas = [param.detach() + 0.0 for param in params]
    if options.get("weight_rounding") == "kahan":  # the weight is the sum of both
        thetas = [theta.to(torch.complex128 if dtype.is_complex else torch.float64) for theta in thetas]
        thetas = [theta + compensation for theta, compensation in zip(thetas, compensations, strict=True)]
    sign = -1 if options.get("maximize") else 1
    names = "betas", "weight_decay"
    expected = by_hand(thetas, [p.grad for p in params], before, **{n: SETTINGS[n] for n in names}, sign=sign)
    stepper.step()
    (group,) = observation.latest.groups
    assert_measured(group, expected, 1e-5)
    assert group == observation.latest.total
    assert observation.latest.step == 1


@FOREACH
def test_observing_changes_no_bit(foreach):
    results = []
    for observed in (False, True):
        params = parameters(torch.bfloat16, SHAPES)
        stepper = lionkit.Lion(params, **SETTINGS, foreach=foreach, weight_rounding="stochastic", momentum_dtype="int4")
        if observed:
            stepper.observe(every=2)
        run(stepper, params, steps=4)
        results.append([*params, *(tensor for param in params for tensor in stepper.state[param].values())])
    assert_same(*results)


@FOREACH
def test_groups_and_their_total(foreach):
    """Each with its own decay; one without gradients; gradients of another layout, which the kernel leaves."""
    params = parameters(torch.float64, [(4, 6), (9,), (5,)])
    groups = [{"params": [param]} for param in params]
    groups[1].update(weight_decay=1.7, betas=(0.2, 0.9))
    stepper = lionkit.Lion(groups, **SETTINGS, foreach=foreach)
    observation = stepper.observe()
    params[0].grad, params[1].grad = torch.randn(6, 4, dtype=torch.float64).t(), torch.randn(9, dtype=torch.float64)
    zeros = [torch.zeros_like(param) for param in params]
    thetas = [param.detach().clone() for param in params]
    stepper.step()
    parts = [
        by_hand([theta], [param.grad], [zero], betas=group["betas"], weight_decay=group["weight_decay"])
        for theta, param, zero, group in zip(thetas[:2], params, zeros, stepper.param_groups, strict=False)
    ]
    first, second, third = observation.latest.groups
    assert_measured(first, parts[0], 1e-12)
    assert_measured(second, parts[1], 1e-12)
    assert third is None
    total = observation.latest.total
    assert total.kkt_residual == pytest.approx((parts[0]["kkt_residual"] + parts[1]["kkt_residual"]).item())
    assert total.grad_l2 == pytest.approx(math.hypot(first.grad_l2, second.grad_l2))
    assert total.theta_max == max(first.theta_max, second.theta_max)
    assert total.tau == min(first.tau, second.tau)
    assert (total.numel, total.num_agree) == (33, first.num_agree + second.num_agree)


def test_of_a_step_without_gradients():
    stepper = lionkit.Lion(parameters(), **SETTINGS)
    observation = stepper.observe()
    stepper.step()
    total = observation.latest.total
    assert observation.latest.groups == (None,)
    assert (total.numel, total.kkt_residual, total.tau, total.zero_share) == (0, 0, math.inf, 0)
    assert math.isnan(total.ratio)
    assert math.isnan(total.ratio_over_sqrt_dim)


def test_every_kth_step_a_callback_and_an_end():
    params = parameters()
    stepper = lionkit.Lion(params, **SETTINGS)
    run(stepper, params, steps=2)
    seen = []
    third, second = stepper.observe(every=3, callback=seen.append), stepper.observe(2)
    assert third.latest is None
    run(stepper, params, steps=7)
    assert [statistics.step for statistics in seen] == [3, 6]
    assert third.latest is seen[-1]
    assert second.latest.step == 6
    third.remove()
    third.remove()
    run(stepper, params, steps=3)
    assert len(seen) == 2
    assert third.latest is seen[-1]
    assert second.latest.step == 10


def test_a_callback_may_end_its_observation():
    params = parameters()
    stepper = lionkit.Lion(params, **SETTINGS)
    seen = []
    once = stepper.observe(callback=lambda statistics: (seen.append(statistics.step), once.remove()))
    other = stepper.observe()
    run(stepper, params)
    assert seen == [1]
    assert other.latest.step == 3


@pytest.mark.parametrize("every", [0, -1, 1.5, None])
def test_every_is_a_number_of_steps(every):
    with pytest.raises(ValueError, match=f"Invalid every: {every!r}, it must be an integer of at least 1"):
        lionkit.Lion(parameters()).observe(every)


def test_a_skipped_step_is_not_counted():
    params = parameters()
    stepper = lionkit.Lion(params, **SETTINGS)
    observation = stepper.observe()
    for found_inf in (1.0, 0.0, 1.0, 0.0):
        stepper.found_inf = torch.tensor(found_inf)
        run(stepper, params, steps=1)
    assert observation.latest.step == 2


def test_gradients_are_measured_unscaled():
    """By the kernel, which divides as it reads, and by what steps a gradient of another layout."""
    results = []
    for scale in (1.0, 2.0**10):
        params = parameters(torch.float32, [(4, 6), (9,)])
        stepper = lionkit.Lion(params, **SETTINGS)
        observation = stepper.observe()
        give_grads(params)
        params[0].grad = params[0].grad.t().contiguous().t()
        if scale != 1:
            stepper.grad_scale = torch.tensor(scale)
        for param in params:
            param.grad = param.grad * scale
        stepper.step()
        results.append((observation.latest, momenta(stepper, params)))
    assert results[0][0] == results[1][0]
    assert_same(results[0][1], results[1][1])


def test_a_copy_is_not_observed_and_a_load_ends_nothing():
    params = parameters()
    stepper = lionkit.Lion(params, **SETTINGS)
    observation = stepper.observe()
    run(stepper, params, steps=1)
    copied = deepcopy(stepper)
    run(copied, copied.param_groups[0]["params"])
    assert observation.latest.step == 1
    stepper.load_state_dict(copied.state_dict())
    run(stepper, params, steps=1)
    assert observation.latest.step == 2
    mine = copied.observe()
    run(copied, copied.param_groups[0]["params"], steps=1)
    assert mine.latest.step == 1


@pytest.mark.parametrize("threads", [2, 3])
def test_any_number_of_threads_gives_the_same_sums(threads):
    results = []
    for number in (1, threads):
        torch.set_num_threads(number)
        try:
            params = parameters(torch.float32, [(100_003,), (3,), (301, 233)])
            stepper = lionkit.Lion(params, **SETTINGS)
            observation = stepper.observe()
            run(stepper, params)
        finally:
            torch.set_num_threads(1)
        results.append(observation.latest)
    assert results[0] == results[1]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("foreach", [None, False], ids=["native", "reference"])
def test_neither_nan_nor_zero_agrees_with_anything(dtype, foreach):
    grads = torch.tensor([1.0, math.nan, -math.nan, 0.0, -3.0, math.inf] * 20, dtype=dtype)
    param = torch.nn.Parameter(torch.ones(120, dtype=dtype))
    param.grad = grads
    optimizer = lionkit.Lion([param], lr=1e-3, weight_decay=0.4, foreach=foreach)
    observation = optimizer.observe()
    optimizer.step()
    assert observation.latest.total.num_agree == 60
