"""The steps of torch's contract: what torch.optim's own tests ask of every optimizer in its database."""

import pytest
import torch
from torch_database import (
    CASES,
    FOREACH,
    OPTIMIZERS,
    SETTINGS,
    assert_same,
    build,
    give_grads,
    momenta,
    parameters,
    run,
)


@CASES
@FOREACH
def test_a_group_is_an_optimizer_of_its_own(optimizer, options, foreach):
    """Every option of a group is honoured, and none of its neighbour's: equal to two optimizers."""
    other = {"lr": 0.2, "betas": (0.3, 0.6), "weight_decay": 0.9, "maximize": not options.get("maximize", False)}
    together, apart = parameters(), parameters()
    groups = [{"params": together[:2]}, {"params": together[2:], **other}]
    run(build(optimizer, groups, options, foreach=foreach), together)
    first = build(optimizer, apart[:2], options, foreach=foreach)
    second = build(optimizer, apart[2:], {**options, **other}, foreach=foreach)
    for step in range(3):
        give_grads(apart, seed=2 + step)
        first.step()
        second.step()
    assert_same(together, apart)


@OPTIMIZERS
@FOREACH
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("shape", [(), (1,)], ids=["0-dim", "1-element"])
def test_tensor_lr_equals_float_lr(optimizer, foreach, dtype, shape):
    params, expected = parameters(dtype), parameters(dtype)
    lr = torch.full(shape, SETTINGS["lr"], dtype=torch.float64)
    run(optimizer(params, **{**SETTINGS, "lr": lr}, foreach=foreach), params, steps=5)
    run(optimizer(expected, **SETTINGS, foreach=foreach), expected, steps=5)
    for one, other in zip(params, expected, strict=True):
        # A kappa that is not the sign rounds lr * direction on its own: one rounding a step.
        torch.testing.assert_close(one, other, rtol=5 * torch.finfo(dtype).eps, atol=5 * torch.finfo(dtype).eps)
    assert lr.item() == SETTINGS["lr"]


@CASES
@FOREACH
def test_zero_gradients_move_nothing_but_by_decay(optimizer, options, foreach):
    for decay in (0.0, 0.5):
        params, expected = parameters(), [param.detach() for param in parameters()]
        stepper = build(optimizer, params, options, foreach=foreach, lr=2**-5, weight_decay=decay)
        for _ in range(3):
            for param in params:
                param.grad = torch.zeros_like(param)
            stepper.step()
            expected = [param * (1 - 2**-5 * decay) for param in expected]
        assert_same([param.detach() for param in params], expected)


@OPTIMIZERS
@FOREACH
def test_lr_zero_is_a_warm_up_from_nothing(optimizer, foreach):
    params, before = parameters(), parameters()
    stepper = optimizer(params, **{**SETTINGS, "lr": 0.0}, foreach=foreach)
    run(stepper, params, steps=1)
    assert_same(params, before)
    give_grads(params)
    expected = [(1 - SETTINGS["betas"][1]) * param.grad for param in params]
    for momentum, value in zip(momenta(stepper, params), expected, strict=True):
        torch.testing.assert_close(momentum, value)
