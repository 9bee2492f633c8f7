"""What torch asks of every optimizer in its database, of every member; what Lion is asked is in the other contracts."""

from copy import deepcopy

import pytest
import torch
from member_database import ENTRIES, FILLED, UNCAPTURED
from members import MATRICES, closure_of, parameters, shapes_of
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db
from torch_database import assert_same, build, cliquey_inputs

EVERY = pytest.mark.parametrize("name", ENTRIES)
FLAGS = ("foreach", "differentiable", "fused")


def train(info, params, options, steps, noise=0.3, **more):
    """Steps with a closure, as the database says that some need one; the losses."""
    stepper = build(info.optim_cls, params, options, **more)
    next_batch = closure_of(stepper, params, noise)
    return stepper, [stepper.step(next_batch()).item() for _ in range(steps)]


def detached(params):
    return [param.detach() for param in params]


def leaves(params, options):
    """A step that autograd sees through writes to its parameters, and so they are no leaves that ask for gradients."""
    return [param.detach().clone().requires_grad_(not options.get("differentiable")) for param in params]


def test_names_are_apart_from_torchs_own():
    assert len({info.name for info in optim_db}) == len(optim_db)
    assert set(ENTRIES.values()) <= set(optim_db)


@EVERY
def test_an_entry_declares_what_the_constructor_takes(name):
    info = ENTRIES[name]
    params = parameters(shapes_of(name))
    defaults = info.optim_cls(params).defaults
    assert set(info.supported_impls) | set(info.not_og_supported_flags) <= set(defaults)
    for flag in FLAGS:
        if flag in info.supported_impls:
            assert info.optim_cls(params, **{flag: True}).defaults[flag] is True
        else:
            with pytest.raises(RuntimeError, match=f"{flag}=True"):
                info.optim_cls(params, **{flag: True})
    if name in FILLED | UNCAPTURED:
        with pytest.raises(RuntimeError, match="capturable=True and "):
            info.optim_cls(params, capturable=True)
    numbers = [torch.nn.Parameter(torch.ones(4, 4, dtype=torch.complex64))]
    if info.supports_complex:
        info.optim_cls(numbers)
    else:
        with pytest.raises(ValueError, match=r"shape \(4, 4, 2\)"):
            info.optim_cls(numbers)
    if info.step_requires_closure:
        with pytest.raises(ValueError, match="needs a closure"):
            info.optim_cls(params).step()


@EVERY
def test_every_input_with_every_implementation_goes_in_the_right_direction(name):
    info = ENTRIES[name]
    seen = set()
    for given in cliquey_inputs(info):
        if given.kwargs.get("differentiable"):
            continue  # the same as the loop, below
        params = parameters(shapes_of(name))
        stepper, losses = train(info, params, given.kwargs, 40, noise=0.0)
        taken = given.kwargs.keys() & stepper.defaults.keys()  # a member's own names are turned into others
        assert {option: stepper.defaults[option] for option in taken} == {o: given.kwargs[o] for o in taken}
        assert (losses[-1] > losses[0]) is stepper.defaults["maximize"], given.desc
        seen |= {flag for flag in FLAGS if given.kwargs.get(flag)}
    assert seen == set(info.supported_impls) - {"differentiable"}


@EVERY
def test_every_implementation_takes_the_same_steps(name):
    """The foreach path and the one that autograd sees through to the bit, the kernel within its own roundings."""
    info = ENTRIES[name]
    for given in info.optim_inputs_func("cpu"):
        loop, found = parameters(shapes_of(name)), {}
        train(info, loop, given.kwargs, 4, foreach=False)
        for flag in set(info.supported_impls) - {"differentiable"}:
            found[flag] = parameters(shapes_of(name))
            train(info, found[flag], given.kwargs, 4, **{flag: True})
        if "foreach" in found:
            assert_same(detached(found["foreach"]), detached(loop))
        for one, other in zip(found.get("fused", loop), loop, strict=True):
            torch.testing.assert_close(one.detach(), other.detach(), rtol=0, atol=1e-14)
        assert not torch.equal(loop[0], parameters(shapes_of(name))[0])


@pytest.mark.parametrize("name", [name for name in ENTRIES if name not in FILLED])
def test_autograd_sees_the_same_step(name):
    info = ENTRIES[name]
    for given in info.optim_inputs_func("cpu"):
        results = []
        for differentiable in (False, True):
            params = leaves(parameters(shapes_of(name)), {"differentiable": differentiable})
            stepper = build(info.optim_cls, params, given.kwargs, differentiable=differentiable, foreach=False)
            draws = torch.Generator().manual_seed(7)
            for _ in range(3):
                for param in params:
                    param.grad = torch.randn(param.shape, generator=draws, dtype=param.dtype)
                stepper.step()
            results.append(detached(params))
        assert_same(*results)


@EVERY
def test_a_tensor_lr_is_a_float_lr(name):
    info, results = ENTRIES[name], []
    for lr in (0.03, torch.tensor(0.03, dtype=torch.float64)):
        params = parameters(shapes_of(name))
        train(info, params, {"weight_decay": 0.4}, 4, lr=lr)
        results.append(detached(params))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-14)


@EVERY
@pytest.mark.parametrize("number", range(7))
def test_every_scheduler_list_of_the_database(name, number):
    """Lrs are those that torch's SGD is given, and each step takes its own: a float's and a tensor's go one way."""
    info = ENTRIES[name]
    lrs = {0.1: [], torch.tensor(0.1, dtype=torch.float64): []}
    sgd = torch.optim.SGD(parameters(MATRICES), lr=0.1)
    schedules, results = [make(sgd) for make in info.scheduler_inputs[number]], []
    sgd.step()
    for lr, seen in lrs.items():
        params = parameters(shapes_of(name))
        stepper = info.optim_cls(params, lr=lr, weight_decay=0.3)
        own, next_batch = [make(stepper) for make in info.scheduler_inputs[number]], closure_of(stepper, params)
        for _ in range(6):
            stepper.step(next_batch())
            for schedule in own:
                schedule.step(*[1.0] * isinstance(schedule, ReduceLROnPlateau))
            seen.append(float(stepper.param_groups[0]["lr"]))
        results.append(detached(params))
    expected = []
    for _ in range(6):
        for schedule in schedules:
            schedule.step(*[1.0] * isinstance(schedule, ReduceLROnPlateau))
        expected.append(sgd.param_groups[0]["lr"])
    assert [pytest.approx(expected, rel=1e-14)] * 2 == list(lrs.values())
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)


@EVERY
def test_every_input_is_saved_and_copied_and_goes_on_to_the_bit(name):
    info = ENTRIES[name]
    for given in info.optim_inputs_func("cpu"):
        params = parameters(shapes_of(name))
        stepper, _ = train(info, params, given.kwargs, 3)
        others = [torch.nn.Parameter(param.detach().clone()) for param in params]
        resumed = build(info.optim_cls, others, given.kwargs)
        resumed.load_state_dict(stepper.state_dict())
        copied, copies = deepcopy((stepper, params))
        for one, stepped in ((stepper, params), (resumed, others), (copied, copies)):
            next_batch = closure_of(one, stepped)
            for _ in range(3):
                one.step(next_batch())
        assert_same(detached(others), detached(params))
        assert_same(detached(copies), detached(params))


def _error_cases():
    for name, info in ENTRIES.items():
        for number, given in enumerate(info.optim_error_inputs_func(device="cpu", dtype=torch.float32)):
            yield pytest.param(info.optim_cls, given, id=f"{name}-{number}")


@pytest.mark.parametrize(("optimizer", "given"), list(_error_cases()))
def test_error_inputs_of_the_database(optimizer, given):
    bad = given.optimizer_error_input
    assert given.error_on is OptimizerErrorEnum.CONSTRUCTION_ERROR
    expect = pytest.warns if issubclass(given.error_type, Warning) else pytest.raises
    with expect(given.error_type, match=given.error_regex):
        optimizer(bad.params, **bad.kwargs)
