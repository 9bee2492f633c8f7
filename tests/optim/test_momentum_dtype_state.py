"""The momentum as float32, bfloat16 or codes: the states it goes on from, and those it refuses."""

import pickle
from copy import deepcopy

import lion_pytorch
import pytest
import torch
from coded_momenta import SHAPES, WIDTHS, decoded, state_of
from torch_database import FOREACH, OPTIMIZERS, SETTINGS, assert_same, give_grads, parameters, run

import lionkit
from lionkit import momentum


@WIDTHS
@FOREACH
@OPTIMIZERS
def test_a_resumed_run_has_the_same_bits(width, foreach, optimizer, tmp_path):
    """The noise goes on where it was, from a file that `weights_only` reads."""
    params = parameters(torch.float32, SHAPES)
    stepper = optimizer(params, **SETTINGS, foreach=foreach, momentum_dtype=width, seed=99)
    run(stepper, params)
    torch.save(stepper.state_dict(), tmp_path / "state.pt")
    others = [torch.nn.Parameter(param.detach().clone()) for param in params]
    resumed = optimizer(others, lr=0.9, foreach=foreach, momentum_dtype=width)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert [resumed.param_groups[0][name] for name in ("seed", "noise_step")] == [99, 3]
    for one, stepped in ((stepper, params), (resumed, others)):
        run(one, stepped, seed=30)
    assert_same(params + state_of(stepper, params), others + state_of(resumed, others))


@WIDTHS
def test_deepcopy_and_pickle_go_on_alike(width):
    params = parameters(torch.float32, SHAPES)
    stepper = lionkit.Lion(params, **SETTINGS, momentum_dtype=width)
    run(stepper, params)
    copies = [deepcopy(stepper), pickle.loads(pickle.dumps(stepper))]
    run(stepper, params, seed=30)
    for copied in copies:
        others = copied.param_groups[0]["params"]
        run(copied, others, seed=30)
        assert_same(params + state_of(stepper, params), others + state_of(copied, others))


@pytest.mark.filterwarnings("ignore:torch.distributed is")  # in one process
@WIDTHS
def test_distributed_checkpoints(width, tmp_path):
    from torch.distributed import checkpoint

    params = parameters(torch.float32, SHAPES)
    stepper = lionkit.Lion(params, **SETTINGS, momentum_dtype=width)
    run(stepper, params)
    checkpoint.save(stepper.state_dict(), checkpoint_id=tmp_path, no_dist=True)
    others = [torch.nn.Parameter(param.detach().clone()) for param in params]
    resumed = lionkit.Lion(others, **SETTINGS, momentum_dtype=width)
    run(resumed, others, steps=1)  # the state to be read into
    with torch.no_grad():
        for other, param in zip(others, params, strict=True):
            other.copy_(param)
    loaded = resumed.state_dict()
    checkpoint.load(loaded, checkpoint_id=tmp_path, no_dist=True)
    resumed.load_state_dict(loaded)
    assert resumed.param_groups[0]["noise_step"] == 3
    for one, stepped in ((stepper, params), (resumed, others)):
        run(one, stepped, seed=30)
    assert_same(params + state_of(stepper, params), others + state_of(resumed, others))


ROUNDING = {None: 0, "float32": 0, "bfloat16": 2**-8, "int8": 2**-3, "int4": 1}  # of the largest in its block


@pytest.mark.parametrize("saved", ROUNDING)
@pytest.mark.parametrize("loading", ROUNDING)
def test_every_momentum_loads_into_every_other(saved, loading):
    params = parameters(torch.float32, SHAPES)
    first = lionkit.Lion(params, **SETTINGS, momentum_dtype=saved)
    run(first, params)
    others = [torch.nn.Parameter(param.detach().clone()) for param in params]
    second = lionkit.Lion(others, lr=0.9, momentum_dtype=loading)
    kept = deepcopy(first.state_dict())
    second.load_state_dict(first.state_dict())
    assert second.param_groups[0]["momentum_dtype"] == loading
    assert second.param_groups[0]["betas"] == SETTINGS["betas"]
    for name, tensor in ((k, t) for id_ in kept["state"] for k, t in kept["state"][id_].items()):
        assert tensor.dtype in (torch.float32, torch.bfloat16) or name == "exp_avg_codes"
    for one, other in zip(decoded(first, params), decoded(second, others), strict=True):
        assert ((one.float() - other.float()).abs() <= ROUNDING[loading] * one.abs().amax().float()).all()
        assert (one.float() * other.float() >= 0).all()
    if loading is None:
        expected = torch.bfloat16 if saved == "bfloat16" else torch.float32
        assert {tensor.dtype for tensor in state_of(second, others)} == {expected}
    run(second, others)


@WIDTHS
def test_a_plain_lions_state_becomes_codes_and_codes_are_refused_by_a_plain_lion(width):
    params, others = parameters(torch.float32, SHAPES), parameters(torch.float32, SHAPES)
    theirs, ours = lion_pytorch.Lion(params, **SETTINGS), lionkit.Lion(others, lr=0.9, momentum_dtype=width)
    run(theirs, params)
    ours.load_state_dict(deepcopy(theirs.state_dict()))
    assert [len(ours.state[param]) for param in others] == [2, 1, 2]
    run(ours, others)
    theirs.load_state_dict(deepcopy(ours.state_dict()))
    give_grads(params)
    with pytest.raises(KeyError, match="exp_avg"):
        theirs.step()
    theirs.load_state_dict(momentum.dense_state_dict(ours.state_dict(), others))
    run(theirs, params)


def without(name):
    return lambda state: state.pop(name)


DAMAGES = {
    "no scales": (without("exp_avg_scales"), "exp_avg_scales"),
    "no codes": (without("exp_avg_codes"), "exp_avg_codes"),
    "codes cut off": (lambda s: s.update(exp_avg_codes=s["exp_avg_codes"][:-1]), "exp_avg_codes"),
    "blocks of 64": (lambda s: s.update(exp_avg_scales=s["exp_avg_scales"].repeat(2)), "exp_avg_scales"),
    "scales of float32": (lambda s: s.update(exp_avg_scales=s["exp_avg_scales"].float()), "exp_avg_scales"),
    "codes of int16": (lambda s: s.update(exp_avg_codes=s["exp_avg_codes"].short()), "exp_avg_codes"),
    "another shape": (lambda s: (s.clear(), s.update(exp_avg=torch.zeros(65, 64))), "exp_avg"),
    "bitsandbytes": (lambda s: (s.clear(), s.update(state1=torch.zeros(9), absmax1=torch.ones(1))), "absmax1"),
}


@WIDTHS
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("loading", [None, "int8", "int4"])
def test_a_damaged_or_foreign_state_changes_nothing(width, damage, loading):
    params = parameters(torch.float32, SHAPES)
    saving = lionkit.Lion(params, **SETTINGS, momentum_dtype=width)
    run(saving, params)
    spoiled = deepcopy(saving.state_dict())
    spoil, named = DAMAGES[damage]
    spoil(spoiled["state"][0])
    stepper = lionkit.Lion(params, lr=0.125, momentum_dtype=loading)
    run(stepper, params)
    before = deepcopy(stepper.state_dict())
    with pytest.raises(ValueError, match=f"the state of parameter 0: .*{named}"):
        stepper.load_state_dict(spoiled)
    assert stepper.param_groups[0]["lr"] == 0.125
    assert stepper.state_dict()["param_groups"] == before["param_groups"]
    for id_, state in stepper.state_dict()["state"].items():
        assert_same(list(state.values()), list(before["state"][id_].values()))
