"""What a state_dict must carry from one process to the next."""

import pickle
from copy import deepcopy

import lion_pytorch
import pytest
import torch
from torch_database import (
    CASES,
    ENTRIES,
    FOREACH,
    HAS_KERNEL,
    OPTIMIZERS,
    SETTINGS,
    assert_same,
    build,
    give_grads,
    momenta,
    parameters,
    run,
)

import lionkit


def copies(params):
    return [torch.nn.Parameter(param.detach().clone()) for param in params]


def continue_together(first, params, second, others, steps=3):
    """Step both on the same gradients; bit by bit the same weights and momenta."""
    for stepper, stepped in ((first, params), (second, others)):
        run(stepper, stepped, steps=steps, seed=20)
    assert_same([p.detach() for p in params], [p.detach() for p in others])
    assert_same(momenta(first, params), momenta(second, others))


def assert_equal_states(one, other):
    assert one["param_groups"] == other["param_groups"]
    assert list(one["state"]) == list(other["state"])
    for id_, state in one["state"].items():
        assert list(state) == list(other["state"][id_]) == ["exp_avg"]
        assert_same([state["exp_avg"]], [other["state"][id_]["exp_avg"]])


@CASES
def test_the_options_of_the_state_win(optimizer, options):
    params = parameters()
    stepper = build(optimizer, params, options)
    resumed = optimizer(copies(params), lr=0.9, betas=(0.1, 0.2), weight_decay=0.7)
    resumed.load_state_dict(stepper.state_dict())
    assert_equal_states(resumed.state_dict(), stepper.state_dict())
    assert [group["maximize"] for group in resumed.param_groups] == [options.get("maximize", False)]


@ENTRIES
def test_an_older_state_dict_lacks_the_newer_flags(info):
    for given in info.optim_inputs_func("cpu"):
        params = parameters()
        stepper = build(info.optim_cls, params, given.kwargs)
        run(stepper, params)
        state_dict = deepcopy(stepper.state_dict())
        for group in state_dict["param_groups"]:
            for flag in (*info.not_og_supported_flags, "kappa"):
                del group[flag]
        others = copies(params)
        resumed = build(info.optim_cls, others, given.kwargs)
        resumed.load_state_dict(state_dict)
        assert resumed.param_groups[0].keys() == stepper.param_groups[0].keys()
        continue_together(stepper, params, resumed, others)


@CASES
def test_a_copy_has_its_own_parameters_and_prints_alike(optimizer, options):
    stepper = build(optimizer, parameters(), options)
    run(stepper, stepper.param_groups[0]["params"])
    for copied in (deepcopy(stepper), pickle.loads(pickle.dumps(stepper))):
        assert {key for key in vars(copied) if key[0] != "_"} == {key for key in vars(stepper) if key[0] != "_"}
        assert copied.defaults == stepper.defaults
        assert repr(copied) == repr(stepper)
        pairs = zip(stepper.param_groups[0]["params"], copied.param_groups[0]["params"], strict=True)
        assert all(one is not other for one, other in pairs)


@CASES
def test_the_state_is_one_momentum_a_parameter_and_prints(optimizer, options):
    params = parameters()
    stepper = build(optimizer, params, options)
    run(stepper, params, steps=1)
    assert {key for state in stepper.state.values() for key in state} == {"exp_avg"}
    assert [momentum.shape for momentum in momenta(stepper, params)] == [param.shape for param in params]
    assert repr(stepper).startswith(f"{optimizer.__name__} (\nParameter Group 0\n    agreement: None\n    betas: ")
    assert f"kappa: {stepper.param_groups[0]['kappa']!r}" in repr(stepper)


@OPTIMIZERS
@FOREACH
def test_a_float32_momentum_of_bfloat16_weights_survives_a_load(optimizer, foreach, tmp_path):
    params = parameters(torch.bfloat16)
    stepper = optimizer(params, **SETTINGS, foreach=foreach)
    for param in params:
        stepper.state[param]["exp_avg"] = torch.randn(param.shape)
    run(stepper, params)
    torch.save(stepper.state_dict(), tmp_path / "state.pt")
    others = copies(params)
    resumed = optimizer(others, lr=0.9)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert all(momentum.dtype == torch.float32 for momentum in momenta(resumed, others))
    continue_together(stepper, params, resumed, others)


def test_states_swap_with_lion_pytorch_both_ways():
    first, second = parameters(torch.float64), parameters(torch.float64)
    ours, theirs = lionkit.Lion(first, **SETTINGS), lion_pytorch.Lion(second, **SETTINGS)
    run(ours, first)
    run(theirs, second, seed=6)
    first_copy, second_copy = copies(first), copies(second)
    to_theirs, to_ours = lion_pytorch.Lion(first_copy, lr=0.9), lionkit.Lion(second_copy, lr=0.9)
    to_theirs.load_state_dict(deepcopy(ours.state_dict()))  # torch's load shares tensors
    to_ours.load_state_dict(deepcopy(theirs.state_dict()))
    assert to_ours.param_groups[0]["kappa"] == lionkit.kappa.L1()
    assert to_ours.param_groups[0]["betas"] == SETTINGS["betas"]
    for one, params, other, others in ((ours, first, to_theirs, first_copy), (to_ours, second_copy, theirs, second)):
        assert_same(momenta(one, params), momenta(other, others))
        for stepper, stepped in ((one, params), (other, others)):
            run(stepper, stepped, seed=30)
        for ours_, theirs_ in zip(params, others, strict=True):
            torch.testing.assert_close(ours_, theirs_, rtol=0, atol=1e-14)  # a flipped sign would be 0.06


@OPTIMIZERS
def test_a_momentum_comes_from_adamw(optimizer):
    params = parameters()
    adamw = torch.optim.AdamW(params, lr=0.02, betas=(0.6, 0.9), weight_decay=0.3)
    run(adamw, params)
    others, expected = copies(params), copies(params)
    stepper = optimizer(others, lr=0.9, maximize=True)
    stepper.load_state_dict(adamw.state_dict())
    assert_same(momenta(stepper, others), momenta(adamw, params))
    fresh = optimizer(expected, lr=0.02, betas=(0.6, 0.9), weight_decay=0.3)
    for param, momentum in zip(expected, momenta(adamw, params), strict=True):
        fresh.state[param]["exp_avg"] = momentum.clone()
    continue_together(stepper, others, fresh, expected)


@OPTIMIZERS
def test_names_are_kept_and_a_hook_can_load_by_them(optimizer):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    named = list(model.named_parameters())
    stepper = optimizer(named, **SETTINGS)
    run(stepper, [param for _, param in named])
    state_dict = stepper.state_dict()
    assert state_dict["param_groups"][0]["param_names"] == ["0.weight", "0.bias", "1.weight", "1.bias"]

    reordered = [(name, torch.nn.Parameter(param.detach().clone())) for name, param in reversed(named)]
    resumed = optimizer(reordered, lr=0.9)

    def by_name(receiver, loaded):
        (group,) = loaded["param_groups"]
        ids = dict(zip(group["param_names"], group["params"], strict=True))
        names = receiver.param_groups[0]["param_names"]
        state = {new: loaded["state"][ids[name]] for new, name in enumerate(names)}
        return {"state": state, "param_groups": [{**group, "param_names": names}]}

    resumed.register_load_state_dict_pre_hook(by_name)
    resumed.load_state_dict(state_dict)
    assert resumed.param_groups[0]["param_names"] == [name for name, _ in reordered]
    own = dict(reordered)
    assert_same(momenta(stepper, [p for _, p in named]), momenta(resumed, [own[name] for name, _ in named]))


@OPTIMIZERS
def test_named_and_unnamed_states_load_into_each_other(optimizer):
    params, others = parameters(), parameters()
    named = optimizer([(f"p{i}", param) for i, param in enumerate(params)], **SETTINGS)
    run(named, params)
    unnamed = optimizer(others, lr=0.9)
    unnamed.load_state_dict(deepcopy(named.state_dict()))
    assert_same(momenta(named, params), momenta(unnamed, others))
    plain = optimizer(others, **SETTINGS)
    give_grads(others)
    plain.step()
    named.load_state_dict(plain.state_dict())
    assert named.param_groups[0]["param_names"] == [f"p{i}" for i in range(len(params))]
    assert_same(momenta(named, params), momenta(plain, others))


@OPTIMIZERS
def test_a_state_without_a_momentum_is_refused(optimizer):
    """As bitsandbytes' 8-bit codes are: without this the run would go on, its momentum silently zero."""
    params = parameters(torch.float32)
    stepped = optimizer(params, **SETTINGS)
    before = deepcopy(stepped.state_dict())
    foreign = deepcopy(before)
    foreign["state"] = {0: {"state1": torch.zeros(3, dtype=torch.uint8), "absmax1": torch.ones(1)}}
    with pytest.raises(ValueError, match=r"parameter 0: .* it has \['absmax1', 'state1'\], it must have 'exp_avg'"):
        stepped.load_state_dict(foreign)
    assert_equal_states(stepped.state_dict(), before)


@OPTIMIZERS
def test_a_restored_momentum_is_a_copy(optimizer):
    weights = [torch.nn.Parameter(torch.ones(3, dtype=torch.bfloat16)) for _ in range(2)]
    saved = optimizer([weights[0]], **SETTINGS).state_dict()
    saved["state"] = {0: {"exp_avg": torch.full((3,), 0.1)}}
    loaded = optimizer([weights[1]], **SETTINGS)
    loaded.load_state_dict(saved)
    loaded.state[weights[1]]["exp_avg"].zero_()
    assert saved["state"][0]["exp_avg"].tolist() == pytest.approx([0.1] * 3)


@OPTIMIZERS
def test_a_fused_adamw_leaves_nothing_but_its_momentum(optimizer, monkeypatch):
    params = parameters(torch.float32)
    adamw = torch.optim.AdamW(params, lr=0.02, betas=(0.6, 0.9), weight_decay=0.3, fused=True)
    run(adamw, params)
    ours = optimizer(params, **SETTINGS)
    ours.load_state_dict(adamw.state_dict())
    assert ours.param_groups[0]["fused"] is (True if HAS_KERNEL else None)
    monkeypatch.setattr("lionkit.kernels._native.MISSING", "this build has no native kernel")
    ours = optimizer(params, **SETTINGS)
    ours.load_state_dict(adamw.state_dict())
    assert ours.param_groups[0]["fused"] is None
    assert ours.param_groups[0]["betas"] == (0.6, 0.9)
    for param in params:
        assert list(ours.state[param]) == ["exp_avg"]
        assert ours.state[param]["exp_avg"].equal(adamw.state[param]["exp_avg"])


@OPTIMIZERS
def test_a_fused_state_loads_where_the_parameters_have_no_kernel(optimizer):
    """Trained on one device, gone on with on another: float8 and meta stand for that here."""
    saved = optimizer([torch.nn.Parameter(torch.zeros(3))], **SETTINGS).state_dict()
    saved["param_groups"][0]["fused"] = True
    ours = optimizer([torch.nn.Parameter(torch.zeros(3, device="meta"))], **SETTINGS)
    ours.load_state_dict(saved)
    assert ours.param_groups[0]["fused"] is None
