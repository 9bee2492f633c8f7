"""The state of members in other hands: equal rules, another dtype, a copy between evaluation and training."""

import copy
import pickle
import re

import numpy as np
import pytest
import torch
from members import MEMBERS, SETTINGS, parameters, shapes_of, train
from torch import nn

import lionkit
from lionkit import optim

DTYPES = [torch.float64, torch.float32, torch.bfloat16]


@pytest.mark.parametrize(
    ("one", "same"),
    [
        (lambda params: optim.MARSLion(params, gamma=0, exact=0, max_norm=1), optim.MARS(0.0, False, 1.0)),
        (lambda params: optim.CLion(params, nu=np.float64(0.5)), optim.Gate(0.5)),
        (lambda params: optim.CLion(params, nu=1, gate="model"), optim.Gate(1.0, "model")),
    ],
)
def test_equal_rules_load_each_other(one, same):
    """A file names what fills a seat by its repr: 1 and 1.0 must have the same."""
    stepper = one(parameters())
    seat = "gradient" if isinstance(same, optim.MARS) else "direction"
    optim.LionK(parameters(), **{seat: same}).load_state_dict(stepper.state_dict())
    assert repr(stepper.defaults[seat]) == repr(same)


@pytest.mark.filterwarnings("ignore:.*half-precision weights stand still")
@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize(("before", "after"), [(a, b) for a in DTYPES for b in DTYPES if a != b], ids=str)
def test_a_state_goes_on_with_weights_of_another_dtype(name, before, after):
    params = parameters(shapes_of(name), before)
    stepper = MEMBERS[name](params, **SETTINGS)
    train(stepper, params, steps=2)
    others = [nn.Parameter(param.detach().to(after)) for param in params]
    resumed = MEMBERS[name](others, **SETTINGS)
    resumed.load_state_dict(stepper.state_dict())
    train(resumed, others, steps=2)
    assert all(param.dtype is after and param.isfinite().all() for param in others)
    assert not any(torch.equal(param.to(after), other) for param, other in zip(params, others, strict=True))


def test_a_model_under_evaluation_is_copied_saved_and_trained_on():
    params = parameters()
    stepper = MEMBERS["LionIGT"](params, **SETTINGS)
    train(stepper, params, steps=3)
    stepper.eval()
    loaded = [nn.Parameter(param.detach().clone()) for param in params]
    resumed = MEMBERS["LionIGT"](loaded, **SETTINGS)
    resumed.load_state_dict(stepper.state_dict())
    runs = [copy.deepcopy((stepper, params)), pickle.loads(pickle.dumps((stepper, params))), (resumed, loaded)]
    for one, stepped in [(stepper, params), *runs]:
        one.train()
        train(one, stepped, steps=2)
        one.eval()
    for _, stepped in runs:
        assert all(torch.equal(a, b) for a, b in zip(params, stepped, strict=True))


@pytest.mark.parametrize(
    ("make", "option", "value"),
    [
        (optim.Signum, "beta", 0.5),
        (optim.RLion, "alpha", 3.0),
        (optim.CLion, "nu", 0.1),
        (optim.CautiousLion, "normalisation", "eps"),
        (optim.MARSLion, "gamma", 0.1),
        (optim.MLorcLion, "rank", 2),
        (optim.Muon, "momentum", 0.5),
    ],
)
def test_a_group_has_no_option_of_the_members_own(make, option, value):
    """It would be kept and never read: two groups of other betas that step alike."""
    text = rf"Invalid option of a group: {option}={re.escape(repr(value))}, {make.__name__} has one {option} for all"
    weight = nn.Parameter(torch.ones(5, 4))
    with pytest.raises(ValueError, match=text):
        make([{"params": [weight], option: value}])
    stepper = make([{"params": [weight], "name": "mine"}])
    with pytest.raises(ValueError, match=text):
        stepper.add_param_group({"params": [nn.Parameter(torch.ones(5, 4))], option: value})
    assert len(stepper.param_groups) == 1


def test_what_a_group_may_have_instead():
    groups = [{"params": parameters([(3,)])}, {"params": parameters([(2,)]), "betas": (0.5, 0.5)}]
    assert [group["betas"] for group in optim.Signum(groups, beta=0.8).param_groups] == [(0.8, 0.8), (0.5, 0.5)]


@pytest.mark.parametrize("which", ["member", "fallback"])
@pytest.mark.parametrize("other", [torch.optim.AdamW, "Muon", None])
def test_for_model_refuses_what_is_no_member(which, other):
    with pytest.raises(TypeError, match=rf"Invalid {which}: .*, it must be lionkit\.LionK or a member of it"):
        lionkit.for_model(nn.Linear(3, 2), **{which: other})
