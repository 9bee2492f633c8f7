"""What torch's contract refuses, and that a refusal leaves nothing half done."""

import pytest
import torch
from torch.testing._internal.common_optimizers import OptimizerErrorEnum
from torch_database import (
    FOREACH,
    OPTIMIZERS,
    SETTINGS,
    assert_same,
    give_grads,
    momenta,
    parameters,
    registered,
    run,
)

import lionkit


def _error_cases():
    for info in registered():
        for given in info.optim_error_inputs_func("cpu", torch.float32):
            name = given.optimizer_error_input.desc or given.error_regex
            yield pytest.param(info.optim_cls, given, id=f"{info.name}-{name}")


@pytest.mark.parametrize(("optimizer", "given"), list(_error_cases()))
def test_error_inputs_of_the_database(optimizer, given):
    """As torch's test_errors does it: the input's own ``params``, which may be None."""
    bad = given.optimizer_error_input
    assert given.error_on is OptimizerErrorEnum.CONSTRUCTION_ERROR
    expect = pytest.warns if issubclass(given.error_type, Warning) else pytest.raises
    with expect(given.error_type, match=given.error_regex):
        optimizer(bad.params, **bad.kwargs)


@OPTIMIZERS
def test_a_bad_default_is_refused_though_every_group_has_its_own(optimizer):
    """As torch's optimizers do: the next group to be added would get it."""
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        optimizer([{"params": parameters(), "lr": 0.1}], lr=-1.0)


@OPTIMIZERS
@pytest.mark.parametrize(
    ("group", "error", "match"),
    [
        ([torch.zeros(2)], TypeError, "param_group must be a dict"),
        ({"params": {torch.zeros(2)}}, TypeError, "ordered collections"),
        ({"params": ["weight"]}, TypeError, "can only optimize Tensors"),
        ({"params": [torch.ones(2, requires_grad=True) * 2]}, ValueError, "non-leaf"),
        ({"params": [("w", torch.zeros(2))]}, ValueError, "with/without names"),
        ({"params": [torch.zeros(2)], "lr": -0.5}, ValueError, "Invalid learning rate: -0.5"),
        ({"params": [torch.zeros(2)], "lr": torch.ones(2)}, ValueError, "Tensor lr must be 1-element"),
        ({"params": [torch.zeros(2)], "betas": 0.9}, ValueError, "Invalid betas: 0.9, they must be two numbers"),
        ({"params": [torch.zeros(2)], "betas": ((0.9, 0.99), 0.9)}, ValueError, "at index 0: .* must be in"),
        ({"params": [torch.zeros(2)], "betas": (0.5, 1.0)}, ValueError, "beta parameter at index 1: 1.0"),
        ({"params": [torch.zeros(2)], "weight_decay": -3.0}, ValueError, "Invalid weight_decay value: -3.0"),
        ({"params": [torch.zeros(2)], "momentum_init": None}, ValueError, "Invalid momentum_init: None"),
        ({"params": [torch.zeros(2)], "kappa": "l1"}, TypeError, "Invalid kappa: 'l1'"),
        ({"params": [torch.zeros(2)], "fused": True, "foreach": True}, RuntimeError, "fused=True and foreach=True"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_add_param_group_checks_its_group(optimizer, group, error, match):
    stepper = optimizer(parameters(), **SETTINGS)
    with pytest.raises(error, match=match):
        stepper.add_param_group(group)
    assert len(stepper.param_groups) == 1


@OPTIMIZERS
def test_add_param_group_refuses_a_parameter_it_has(optimizer):
    params = parameters()
    stepper = optimizer(params, **SETTINGS)
    with pytest.raises(ValueError, match="more than one parameter group"):
        stepper.add_param_group({"params": params[:1]})


@OPTIMIZERS
def test_an_added_group_is_stepped_with_its_options_and_the_defaults(optimizer):
    late, expected = parameters(seed=8), parameters(seed=8)
    stepper = optimizer(parameters(), **SETTINGS)
    stepper.add_param_group({"params": iter(late), "betas": (0.2, 0.5)})
    own = {"params": 0, "betas": (0.2, 0.5), "noise_step": 1 << 48}  # a stretch of noise of its own
    assert {**stepper.param_groups[1], "params": 0} == {**stepper.defaults, **own}
    run(stepper, late)
    run(optimizer(expected, **{**SETTINGS, "betas": (0.2, 0.5)}), expected)
    assert_same(late, expected)


@OPTIMIZERS
def test_a_duplicate_is_warned_of_and_steps_twice(optimizer):
    """As in torch.optim, where a later version shall refuse it."""
    param, expected = parameters(shapes=[(5,)]), parameters(shapes=[(5,)])
    with pytest.warns(UserWarning, match="duplicate parameters"):
        twice = optimizer([*param, *param], **SETTINGS)
    once = optimizer(expected, **SETTINGS)
    run(twice, param, steps=1)
    give_grads(expected)
    once.step()
    once.step()
    assert_same(param, expected)


@OPTIMIZERS
@FOREACH
@pytest.mark.parametrize("momentum_init", ["zeros", "gradient"])
@pytest.mark.parametrize("primed", [False, True], ids=["first", "later"])
def test_sparse_gradients_are_refused_before_anything_is_written(optimizer, foreach, momentum_init, primed):
    """Those of the first group too, where the bad one is in the second: no weight, no momentum, not even an m0."""
    params = parameters(shapes=[(3,), (2, 2)])
    groups = [{"params": params[:1]}, {"params": params[1:], "lr": 0.2}]
    stepper = optimizer(groups, **SETTINGS, foreach=foreach, momentum_init=momentum_init)
    if primed:
        run(stepper, params, steps=2)
    give_grads(params[:1], seed=9)
    params[1].grad = torch.tensor([[0.0, 2.0], [0.0, 0.0]]).to_sparse()
    before = [param.detach().clone() for param in params]
    states = {param: state["exp_avg"].clone() for param, state in stepper.state.items()}
    with pytest.raises(RuntimeError, match=rf"{optimizer.__name__} does not support sparse gradients.*to_dense"):
        stepper.step()
    assert_same([param.detach() for param in params], before)
    left = [param for param in params if stepper.state.get(param)]
    assert left == list(states)
    assert_same(momenta(stepper, left), list(states.values()))


@OPTIMIZERS
def test_load_refuses_other_groups_and_changes_nothing(optimizer):
    params = parameters()
    stepper = optimizer(params, **SETTINGS)
    run(stepper, params)
    before = [momentum.clone() for momentum in momenta(stepper, params)]
    two = optimizer([{"params": params[:1]}, {"params": params[1:]}], lr=0.5).state_dict()
    fewer = optimizer(params[:2], lr=0.5).state_dict()
    with pytest.raises(ValueError, match="different number of parameter groups"):
        stepper.load_state_dict(two)
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        stepper.load_state_dict(fewer)
    assert_same(momenta(stepper, params), before)
    assert stepper.param_groups[0]["lr"] == SETTINGS["lr"]
    assert not stepper._optimizer_load_state_dict_pre_hooks  # its own is taken off, though the load failed


@pytest.mark.parametrize(("saved", "loading"), [(0, 1), (1, 0)])
def test_load_refuses_another_kappa(saved, loading):
    lions = [info.optim_cls for info in registered()]
    first, second = parameters(), parameters()
    saving, stepper = lions[saved](first, lr=0.5), lions[loading](second, **SETTINGS)
    run(saving, first)
    with pytest.raises(ValueError, match=r"saved with kappa=(L1|HalfSquaredL2)\(\), this optimizer has kappa="):
        stepper.load_state_dict(saving.state_dict())
    assert stepper.param_groups[0]["lr"] == SETTINGS["lr"]
    assert isinstance(stepper.param_groups[0]["kappa"], lionkit.kappa.Kappa)
    assert not stepper.state
