"""The hooks of torch's contract, around a step, a save and a load."""

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch_database import FOREACH, OPTIMIZERS, SETTINGS, assert_same, momenta, parameters, run


@OPTIMIZERS
@FOREACH
def test_step_hooks_run_around_the_step_in_order(optimizer, foreach):
    params = parameters(shapes=[(3,)])
    stepper = optimizer(params, **SETTINGS, foreach=foreach)
    seen = []

    def note(name):
        return lambda own, args, kwargs: seen.append((name, own is stepper, params[0].detach().clone()))

    handles = [
        register_optimizer_step_pre_hook(note("global pre")),
        register_optimizer_step_post_hook(note("global post")),
        stepper.register_step_pre_hook(note("pre")),
        stepper.register_step_post_hook(note("post")),
    ]
    before = params[0].detach().clone()
    try:
        run(stepper, params, steps=1)
    finally:
        for handle in handles:
            handle.remove()
    after = params[0].detach().clone()
    assert [name for name, own, _ in seen] == ["global pre", "pre", "post", "global post"]
    assert all(own for _, own, _ in seen)
    assert_same([value for *_, value in seen], [before, before, after, after])
    assert not torch.equal(before, after)
    run(stepper, params, steps=1)
    assert len(seen) == 4


@OPTIMIZERS
def test_a_step_pre_hook_may_change_the_closure(optimizer):
    stepper = optimizer(parameters(), **SETTINGS)
    stepper.register_step_pre_hook(lambda own, args, kwargs: ((own, lambda: 7.0), {}))
    assert stepper.step(lambda: 3.0) == 7.0
    assert stepper.step() == 7.0


@OPTIMIZERS
@FOREACH
def test_a_closure_is_called_once_and_its_loss_returned_as_it_is(optimizer, foreach):
    params = parameters()
    stepper = optimizer(params, **SETTINGS, foreach=foreach)
    losses = []

    def closure():
        losses.append(sum(param.square().sum() for param in params))
        losses[-1].backward()
        return losses[-1]

    assert stepper.step(closure) is losses[0]
    assert len(losses) == 1
    assert losses[0].requires_grad
    assert stepper.step() is None


@OPTIMIZERS
def test_state_dict_hooks(optimizer):
    params = parameters()
    stepper = optimizer(params, **SETTINGS)
    run(stepper, params)
    order = []
    stepper.register_state_dict_pre_hook(lambda own: order.append(("pre", own is stepper)))
    stepper.register_state_dict_post_hook(lambda own, state_dict: state_dict.update(note="mine"))
    stepper.register_state_dict_post_hook(lambda own, state_dict: {**state_dict, "new": len(state_dict)})
    stepper.register_state_dict_pre_hook(lambda own: order.append(("first", own is stepper)), prepend=True)
    state_dict = stepper.state_dict()
    assert order == [("first", True), ("pre", True)]
    assert state_dict["note"] == "mine"
    assert state_dict["new"] == 3
    assert state_dict["param_groups"][0]["kappa"] == repr(stepper.param_groups[0]["kappa"])


@OPTIMIZERS
@pytest.mark.parametrize("kept", [["lr", "betas", "params"], []], ids=["without the kappa", "without groups"])
def test_a_state_dict_post_hook_may_return_what_it_likes(optimizer, kept):
    """As in torch.optim: one that keeps only what another Lion knows, one that keeps the tensors alone."""
    params = parameters()
    stepper = optimizer(params, **SETTINGS)
    run(stepper, params)

    def thin(_, state_dict):
        groups = [{key: group[key] for key in kept} for group in state_dict["param_groups"]]
        return {"state": state_dict["state"], **({"param_groups": groups} if kept else {})}

    stepper.register_state_dict_post_hook(thin)
    state_dict = stepper.state_dict()
    assert list(state_dict["state"]) == list(range(len(params)))
    assert [list(group) for group in state_dict.get("param_groups", [])] == ([kept] if kept else [])


@OPTIMIZERS
def test_a_state_dict_post_hook_sees_what_is_saved(optimizer):
    """A hook that writes the dict away must not meet an object that `weights_only` loading refuses."""
    stepper = optimizer(parameters(), **SETTINGS)
    seen = []
    stepper.register_state_dict_post_hook(lambda _, state_dict: seen.append(state_dict["param_groups"][0]["kappa"]))
    saved = stepper.state_dict()["param_groups"][0]["kappa"]
    assert seen == [saved] == [repr(stepper.param_groups[0]["kappa"])]


@OPTIMIZERS
def test_load_state_dict_hooks_run_in_order_and_a_new_dict_counts(optimizer):
    params, others = parameters(), parameters()
    stepper, resumed = optimizer(params, **SETTINGS), optimizer(others, lr=0.9)
    run(stepper, params)
    state_dict = stepper.state_dict()
    order = []

    def doubled(own, loaded):
        order.append("pre")
        assert own is resumed
        assert "injected" in loaded
        state = {id_: {"exp_avg": 2 * entry["exp_avg"]} for id_, entry in loaded["state"].items()}
        return {"state": state, "param_groups": [{**loaded["param_groups"][0], "lr": 0.125}]}

    def inject(_, loaded):
        order.append("first")
        loaded["injected"] = True

    resumed.register_load_state_dict_pre_hook(doubled)
    resumed.register_load_state_dict_pre_hook(inject, prepend=True)
    resumed.register_load_state_dict_post_hook(lambda own: order.append(("post", own.param_groups[0]["lr"])))
    resumed.register_load_state_dict_post_hook(lambda own: order.append("post first"), prepend=True)
    resumed.load_state_dict(state_dict)
    assert order == ["first", "pre", "post first", ("post", 0.125)]
    assert_same(momenta(resumed, others), [2 * momentum for momentum in momenta(stepper, params)])
    assert "injected" not in state_dict
    assert state_dict["param_groups"][0]["lr"] == SETTINGS["lr"]


@OPTIMIZERS
def test_a_load_post_hook_has_the_last_word_on_the_momentum(optimizer):
    """It sees the float32 momentum of a bfloat16 weight as saved, and what it writes stays."""
    params, others = parameters(torch.bfloat16), parameters(torch.bfloat16)
    stepper, resumed = optimizer(params, **SETTINGS), optimizer(others, lr=0.9)
    for param in params:
        stepper.state[param]["exp_avg"] = torch.randn(param.shape)
    seen = []

    def halve(own):
        for param in others:
            seen.append(own.state[param]["exp_avg"].dtype)
            own.state[param]["exp_avg"] = own.state[param]["exp_avg"] / 2

    resumed.register_load_state_dict_post_hook(halve)
    resumed.load_state_dict(stepper.state_dict())
    assert_same(momenta(resumed, others), [momentum / 2 for momentum in momenta(stepper, params)])
    assert set(seen) == {torch.float32}
