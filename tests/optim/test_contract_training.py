"""Lion beside the rest of torch's training tools: schedulers, gradient scaling, weight averaging."""

from copy import deepcopy

import pytest
import torch
from torch.optim.lr_scheduler import CyclicLR, OneCycleLR, ReduceLROnPlateau
from torch.optim.swa_utils import SWALR, AveragedModel
from torch_database import (
    ENTRIES,
    FOREACH,
    OPTIMIZERS,
    SETTINGS,
    assert_same,
    give_grads,
    momenta,
    parameters,
    run,
)


def lrs(optimizer):
    return [float(group["lr"]) for group in optimizer.param_groups]


@ENTRIES
@FOREACH
@pytest.mark.parametrize("number", range(7))
def test_every_scheduler_list_of_the_database(info, foreach, number):
    """The lrs are those that torch's SGD is given; each step takes its own; a tensor lr goes the same way."""
    params, others, peers = parameters(torch.float64), parameters(torch.float64), parameters(torch.float64)
    groups = [[{"params": stepped[:2]}, {"params": stepped[2:], "lr": 0.2}] for stepped in (params, others)]
    groups[1][1]["lr"] = torch.tensor(0.2, dtype=torch.float64)
    options = {**SETTINGS, "foreach": foreach}
    stepper = info.optim_cls(groups[0], **options)
    tensor = info.optim_cls(groups[1], **{**options, "lr": torch.tensor(SETTINGS["lr"], dtype=torch.float64)})
    sgd = torch.optim.SGD([{"params": peers[:2]}, {"params": peers[2:], "lr": 0.2}], lr=SETTINGS["lr"])
    makers = info.scheduler_inputs[number]
    optimizers = stepper, tensor, sgd
    schedulers = [[maker(optimizer) for maker in makers] for optimizer in optimizers]
    seen = {tuple(lrs(stepper))}
    for step in range(25):
        for optimizer, stepped, own in zip(optimizers, (params, others, peers), schedulers, strict=True):
            give_grads(stepped, seed=step)
            optimizer.step()
            for scheduler in own:
                scheduler.step(*[1.0] * isinstance(scheduler, ReduceLROnPlateau))
        assert lrs(stepper) == lrs(sgd)
        assert lrs(tensor) == pytest.approx(lrs(sgd), rel=1e-14)
        seen.add(tuple(lrs(stepper)))
    assert len(seen) > 1
    for one, other in zip(params, others, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)


@OPTIMIZERS
@pytest.mark.parametrize("scheduler", [CyclicLR, OneCycleLR])
def test_schedulers_that_cycle_the_momentum_set_the_first_beta(optimizer, scheduler):
    options = {
        CyclicLR: {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 2, "base_momentum": 0.5, "max_momentum": 0.9},
        OneCycleLR: {"max_lr": 0.1, "total_steps": 9, "base_momentum": 0.5, "max_momentum": 0.9},
    }[scheduler]
    params, expected = parameters(), parameters()
    stepper, by_hand = optimizer(params, **SETTINGS), optimizer(expected, **SETTINGS)
    schedule = scheduler(stepper, **options)
    betas = []
    for step in range(6):
        (group,) = stepper.param_groups
        betas.append(group["betas"][0])
        by_hand.param_groups[0].update(lr=group["lr"], betas=(betas[-1], SETTINGS["betas"][1]))
        for one, stepped in ((stepper, params), (by_hand, expected)):
            give_grads(stepped, seed=step)
            one.step()
        schedule.step()
    assert min(betas) < 0.6
    assert max(betas) == pytest.approx(0.9)
    assert_same(params, expected)


@OPTIMIZERS
@FOREACH
def test_grad_scaler_skips_an_infinite_step_and_unscales_the_others(optimizer, foreach):
    params, expected = parameters(), parameters()
    stepper, plain = (optimizer(p, **SETTINGS, foreach=foreach) for p in (params, expected))
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=2)
    for step in range(5):
        give_grads(params, seed=step)
        give_grads(expected, seed=step)
        for param in params:
            param.grad = scaler.scale(param.grad)  # by a power of 2, and so exactly
        before = [param.detach().clone() for param in params]
        if step in (0, 3):
            params[1].grad[2] = torch.inf
        scaler.step(stepper)
        scaler.update()
        if step in (0, 3):
            assert_same([param.detach() for param in params], before)
            assert bool(stepper.state) is (step == 3)
        else:
            plain.step()
        assert_same(params, expected)
    assert scaler.get_scale() == 2.0**10 / 2 * 2 / 2  # back off, growth after two, back off
    assert_same(momenta(stepper, params), momenta(plain, expected))


@OPTIMIZERS
def test_swa_averages_the_weights_that_lion_makes(optimizer):
    model = torch.nn.Linear(4, 3).double()
    stepper = optimizer(model.parameters(), **SETTINGS)
    average = AveragedModel(model)
    schedule = SWALR(stepper, swa_lr=0.2, anneal_epochs=4, anneal_strategy="linear")
    visited, rates = [], []
    for step in range(6):
        rates.append(lrs(stepper)[0])
        run(stepper, list(model.parameters()), steps=1, seed=step)
        schedule.step()
        average.update_parameters(model)
        visited.append([param.detach().clone() for param in model.parameters()])
    assert rates == pytest.approx([0.03, 0.0725, 0.115, 0.1575, 0.2, 0.2])
    for mean, values in zip(average.module.parameters(), zip(*visited, strict=True), strict=True):
        torch.testing.assert_close(mean.detach(), torch.stack(values).mean(0), rtol=1e-13, atol=1e-14)


@OPTIMIZERS
@FOREACH
def test_tied_weights_are_one_parameter(optimizer, foreach):
    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = torch.nn.Embedding(6, 4)
            self.head = torch.nn.Linear(4, 6, bias=False)
            self.head.weight = self.embed.weight

        def forward(self, tokens):
            return self.head(self.embed(tokens))

    model = Tied().double()
    alone = torch.nn.Parameter(model.embed.weight.detach().clone())
    stepper = optimizer(model.parameters(), **SETTINGS, foreach=foreach)
    other = optimizer([alone], **SETTINGS, foreach=foreach)
    tokens = torch.tensor([0, 3, 5])
    for _ in range(3):
        stepper.zero_grad()
        torch.nn.functional.cross_entropy(model(tokens), tokens).backward()
        alone.grad = model.embed.weight.grad.clone()
        stepper.step()
        other.step()
    assert len(stepper.state) == 1
    assert model.head.weight is model.embed.weight
    assert_same([model.head.weight], [alone])


@OPTIMIZERS
@FOREACH
def test_zero_grad_and_a_step_of_a_copied_model(optimizer, foreach):
    """`set_to_none=True` idles the parameter; zeros decay it and let the momentum go on."""
    params = parameters()
    stepper = optimizer(params, **SETTINGS, foreach=foreach)
    run(stepper, params, steps=1)
    before, old = deepcopy([p.detach() for p in params]), deepcopy(momenta(stepper, params))
    stepper.zero_grad()
    stepper.step()
    assert_same([param.detach() for param in params], before)
    give_grads(params)
    stepper.zero_grad(set_to_none=False)
    stepper.step()
    for momentum, value in zip(momenta(stepper, params), old, strict=True):
        torch.testing.assert_close(momentum, SETTINGS["betas"][1] * value)
    assert not torch.equal(params[0].detach(), before[0])
