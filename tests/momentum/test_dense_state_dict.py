"""A state dict for any other Lion: every momentum whole again, and everything else as it was."""

import copy

import lion_pytorch
import pytest
import torch
from codecs_and_momenta import weights

import lionkit
from lionkit import momentum

SETTINGS = {"lr": 0.02, "betas": (0.85, 0.97), "weight_decay": 0.3}

of_both_widths = pytest.mark.parametrize("name", ["int8", "int4"])


def stepped(name, forms=list):
    params = [torch.nn.Parameter(weight) for weight in weights()]
    optimizer = lionkit.Lion(forms(params), **SETTINGS, momentum_dtype=name, fused=False)
    for _ in range(3):
        for param in params:
            param.grad = torch.randn_like(param)
        optimizer.step()
    return params, optimizer


FORMS = {
    "parameters": list,
    "named": lambda params: [(f"w{i}", param) for i, param in enumerate(params)],
    "groups": lambda params: [{"params": [param]} for param in params],
    "named groups": lambda params: [{"params": [("w0", params[0])]}, {"params": [("w1", params[1])], "lr": 0.03}],
}


@of_both_widths
@pytest.mark.parametrize("form", FORMS)
def test_a_dense_state_dict_goes_on_in_another_lion(name, form):
    params, optimizer = stepped(name, FORMS[form])
    saved = optimizer.state_dict()
    plain = momentum.dense_state_dict(saved, FORMS[form](params))
    assert "exp_avg_codes" in saved["state"][0]  # what was given is as it was
    assert {group["momentum_dtype"] for group in plain["param_groups"]} == {"float32"}
    others = [torch.nn.Parameter(param.detach().clone()) for param in params]
    groups = [{"params": [param]} for param in others] if "groups" in form else others
    other = lion_pytorch.Lion(groups, **SETTINGS)
    other.load_state_dict(copy.deepcopy(plain))  # torch loads the very tensors
    for param, theirs in zip(params, others, strict=True):
        decoded = momentum.decode_state(optimizer.state[param], param)
        assert torch.equal(other.state[theirs]["exp_avg"], decoded)
        param.grad = theirs.grad = torch.randn_like(param)
    optimizer.step()
    other.step()
    for param, theirs in zip(params, others, strict=True):
        torch.testing.assert_close(param, theirs, rtol=1e-6, atol=1e-7)


def test_the_groups_of_an_optimizer_do_for_its_parameters():
    params, optimizer = stepped("int4")
    plain = momentum.dense_state_dict(optimizer.state_dict(), optimizer.param_groups)
    assert torch.equal(plain["state"][0]["exp_avg"], momentum.decode_state(optimizer.state[params[0]], params[0]))


def test_a_dense_state_dict_stays_as_it_is():
    params, optimizer = stepped("bfloat16")
    saved = optimizer.state_dict()
    plain = momentum.dense_state_dict(saved, params)
    assert plain["param_groups"] == saved["param_groups"]
    assert all(plain["state"][id_]["exp_avg"] is state["exp_avg"] for id_, state in saved["state"].items())


def test_other_state_is_passed_on():
    weight = weights()[0]
    state = momentum.encode_state(torch.randn_like(weight), "int8", weight) | {"compensation": weight}
    saved = {"state": {0: state}, "param_groups": [{"params": [0]}]}
    assert momentum.dense_state_dict(saved, [weight])["state"][0]["compensation"] is weight


def test_a_dense_state_dict_needs_every_parameter():
    params, optimizer = stepped("int8")
    with pytest.raises(ValueError, match="Invalid params: there are 1, the state dict is of 2"):
        momentum.dense_state_dict(optimizer.state_dict(), params[:1])


def test_factors_go_on_in_another_lion_too():
    """Whole again, in both groups, and exact where the rank is that of the momentum."""
    params = [torch.nn.Parameter(torch.randn(6, 4).double()), torch.nn.Parameter(torch.randn(5).double())]
    optimizer = lionkit.LionK(params, **SETTINGS, momentum_rank=1)
    given = [torch.outer(torch.randn(6).double(), torch.randn(4).double()), torch.randn(5).double()]
    for _ in range(3):
        for param, grad in zip(params, given, strict=True):
            param.grad = grad
        optimizer.step()
    saved = optimizer.state_dict()
    plain = momentum.dense_state_dict(saved, params)
    assert set(saved["state"][0]) == {"exp_avg_left", "exp_avg_sizes", "exp_avg_right"}
    assert [list(state) for state in plain["state"].values()] == [["exp_avg"], ["exp_avg"]]
    assert (saved["param_groups"][0]["momentum_rank"], plain["param_groups"][0]["momentum_rank"]) == (1, None)
    others = [torch.nn.Parameter(param.detach().clone()) for param in params]
    other = lion_pytorch.Lion(others, **SETTINGS)
    other.load_state_dict(copy.deepcopy(plain))
    for theirs, grad in zip(others, given, strict=True):
        m = (1 - SETTINGS["betas"][1] ** 3) * grad
        torch.testing.assert_close(other.state[theirs]["exp_avg"], m, rtol=0, atol=1e-12)
        theirs.grad = grad
    optimizer.step()
    other.step()
    for param, theirs in zip(params, others, strict=True):
        torch.testing.assert_close(param, theirs, rtol=0, atol=1e-12)
