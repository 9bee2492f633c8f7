"""Every member where parameters come, rest, freeze and go: gradients that are missing, late groups, skipped steps."""

import math

import pytest
import torch
from members import MEMBERS, SETTINGS, parameters, shapes_of
from torch import nn

from lionkit import optim

TWO_POINTS = ["MARSLion, exact", "LionVR"]
OF_ITS_OWN = ["StoSignSGD", "MLorcLion"]  # their noise goes by the step of the group
ONE_BY_ONE = [name for name in MEMBERS if name not in (*OF_ITS_OWN, "CLion, model")]


def terms(params, shifts, active):
    """A loss of each parameter on its own."""
    pairs = zip(params, shifts, strict=True)
    return [((p - 0.3).square() * (1 + i) + s * p).sum() for i, (p, s) in enumerate(pairs) if active[i]]


def step(stepper, params, shifts, active):
    def closure():
        stepper.zero_grad()
        loss = sum(terms(params, shifts, active), torch.zeros((), dtype=torch.float64))
        if loss.requires_grad:
            loss.backward()
        return loss

    return stepper.step(closure)


def fused_of(name):
    """What ``fused`` may be under a scaler: torch refuses closures there, and some seats have no native kernel."""
    if name in TWO_POINTS:
        return []
    try:
        MEMBERS[name](parameters(shapes_of(name)), **SETTINGS, fused=True)
    except RuntimeError:
        return [None]
    return [None, True]


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_steps_without_a_gradient_are_none(name):
    """A parameter that has a gradient in two steps of three goes as one that has only those steps."""
    params, alone = parameters(shapes_of(name)), parameters(shapes_of(name))
    stepper, steppers = MEMBERS[name](params, **SETTINGS), [MEMBERS[name]([param], **SETTINGS) for param in alone]
    draws = torch.Generator().manual_seed(3)
    for number in range(12):
        shifts = [torch.randn(param.shape, generator=draws, dtype=param.dtype) for param in params]
        active = [(number + i) % 3 != 0 for i in range(len(params))]
        step(stepper, params, shifts, active)
        for i in range(len(params)):
            if active[i]:
                step(steppers[i], alone, shifts, [j == i for j in range(len(params))])
    assert all(torch.equal(a, b) for a, b in zip(params, alone, strict=True))


@pytest.mark.parametrize("name", MEMBERS)
def test_a_late_group_of_other_options_resumes_with_the_rest(name):
    params = parameters(shapes_of(name))
    zeros, all_of = [torch.zeros_like(param) for param in params], [True] * len(params)
    stepper = MEMBERS[name](params[:1], **SETTINGS)
    step(stepper, params, zeros, all_of)
    stepper.add_param_group({"params": params[1:], "lr": 0.002, "maximize": True, "weight_decay": 0.0})
    step(stepper, params, zeros, all_of)
    others = [nn.Parameter(param.detach().clone()) for param in params]
    resumed = MEMBERS[name](others[:1], **SETTINGS)
    resumed.add_param_group({"params": others[1:], "lr": 0.5})
    resumed.load_state_dict(stepper.state_dict())
    for _ in range(3):
        step(stepper, params, zeros, all_of)
        step(resumed, others, zeros, all_of)
    assert all(torch.equal(a, b) for a, b in zip(params, others, strict=True))


@pytest.mark.parametrize(("name", "fused"), [(name, fused) for name in MEMBERS for fused in fused_of(name)])
def test_a_grad_scaler_changes_nothing_and_skips_whole_steps(name, fused):
    """A scale of a power of 2: to the bit."""
    shapes, draws = shapes_of(name), torch.Generator().manual_seed(3)
    params, others = parameters(shapes, torch.float32), parameters(shapes, torch.float32)
    steppers = [MEMBERS[name](stepped, **SETTINGS, fused=fused) for stepped in (params, others)]
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=3)
    for number in range(7):
        shifts = [torch.randn(param.shape, generator=draws) for param in params]
        steppers[0].zero_grad()
        scaler.scale(sum(terms(params, shifts, [True] * len(params)))).backward()
        if broken := number == 3:
            params[0].grad.view(-1)[0] = math.inf
        scaler.step(steppers[0])
        scaler.update()
        if not broken:
            step(steppers[1], others, shifts, [True] * len(params))
    assert all(torch.equal(a, b) for a, b in zip(params, others, strict=True))


def test_a_frozen_parameter_no_longer_moves_the_gradients_of_the_others():
    """Without noise a STORM momentum is the gradient; what freezing costs it, it forgets by beta2 a step."""
    torch.manual_seed(0)
    root = torch.randn(4, 4, dtype=torch.float64)
    curvature = root @ root.T
    params = [nn.Parameter(torch.randn(2, dtype=torch.float64)) for _ in range(2)]
    stepper = optim.LionVR(params, lr=0.01, betas=(0.7, 0.8), weight_decay=0.3)

    def closure():
        stepper.zero_grad()
        x = torch.cat(params)
        loss = x @ curvature @ x / 2
        loss.backward()
        return loss

    apart = []
    for number in range(65):
        params[1].requires_grad_(number < 5)
        stepper.step(closure)
        apart.append((stepper.state[params[0]]["exp_avg"] - params[0].grad).abs().max().item())
    assert apart[4] < 1e-14
    assert apart[-1] < 1e-4 * max(apart)
