"""Momenta of so many workers for another number: against the momentum of the mean gradient, and Algorithm 1."""

import copy

import algorithm1
import pytest
import torch
from torch import nn
from voting import SETTINGS, wrapped
from voting_processes import run
from worker_tasks import batch_of, loss_of, make_net

import lionkit
from lionkit import momentum
from lionkit.distributed import Vote, agree, merge_momenta

SHAPES = [(5, 3), (), (64, 65), (4097,)]  # the last two have codes, one of them a half byte left over


def stepped(worker, steps=4, dtype=torch.float32, shapes=SHAPES, own_weights=False, **options):
    """Let an optimizer see a worker's gradients, or with None the mean of four workers'."""
    params = [nn.Parameter(torch.ones(shape, dtype=dtype)) for shape in shapes]
    optimizer = lionkit.Lion(params, **SETTINGS, **options)
    for step in range(steps):
        for number, param in enumerate(params):
            grads = [gradient(number, it, step, param) for it in (range(4) if worker is None else [worker])]
            param.grad = torch.stack(grads).mean(0)
        optimizer.step()
    return optimizer.state_dict(), params


def gradient(number, worker, step, like):
    generator = torch.Generator().manual_seed(1000 * number + 10 * worker + step)
    drawn = torch.randn(like.shape, dtype=torch.complex128 if like.is_complex() else torch.float64, generator=generator)
    return drawn.to(like.dtype)


def states_of_four(**options):
    return [stepped(worker, **options)[0] for worker in range(4)]


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-15), (torch.float32, 5e-7), (torch.complex128, 1e-15)], ids=str
)
def test_the_mean_momentum_is_that_of_the_mean_gradient(dtype, tolerance):
    merged = merge_momenta(states_of_four(dtype=dtype), "average")
    expected, _ = stepped(None, dtype=dtype)
    assert merged["state"].keys() == expected["state"].keys() == {0, 1, 2, 3}
    for number, kept in expected["state"].items():
        torch.testing.assert_close(merged["state"][number]["exp_avg"], kept["exp_avg"], rtol=0, atol=tolerance)
    assert merged["param_groups"] == expected["param_groups"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64], ids=str)
@pytest.mark.parametrize("momentum_dtype", [None, "bfloat16", "int8", "int4"])
def test_the_mean_is_kept_as_a_fresh_encode_keeps_it(momentum_dtype, dtype):
    states = states_of_four(momentum_dtype=momentum_dtype, dtype=dtype)
    before = copy.deepcopy(states)
    merged = merge_momenta(states, "average")
    for number, shape in enumerate(SHAPES):
        like = torch.empty(shape, dtype=dtype)
        wide = torch.complex128 if dtype.is_complex else torch.float64
        decoded = [momentum.decode_state(state["state"][number], like).to(wide) for state in states]
        mean = (sum(decoded) / 4).to(dtype)
        assert_same_state(merged["state"][number], momentum.encode_state(mean, momentum_dtype, like))
    for state, old in zip(states, before, strict=True):
        assert all(assert_same_state(state["state"][number], old["state"][number]) for number in old["state"])


def assert_same_state(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert ours[name].dtype == theirs[name].dtype
        assert ours[name].equal(theirs[name]), name
    return True


@pytest.mark.parametrize("momentum_dtype", ["bfloat16", "int8", "int4"])
def test_equal_momenta_stay_as_they_are_to_the_bit(momentum_dtype):
    for worker, count in [(2, 1), (1, 3)]:
        states = [stepped(worker, momentum_dtype=momentum_dtype)[0] for _ in range(count)]
        merged = merge_momenta(states, "average")
        assert all(assert_same_state(merged["state"][n], kept) for n, kept in states[0]["state"].items())


@pytest.mark.parametrize("momentum_dtype", [None, "bfloat16", "int8", "int4"])
def test_restart_zeroes_the_momenta_and_nothing_else(momentum_dtype):
    options = {"momentum_dtype": momentum_dtype, "weight_rounding": "kahan", "dtype": torch.bfloat16}
    # The same weights on all workers, as an agreement has them, and so the same compensation.
    states = states_of_four(**options)
    for state in states[1:]:
        for number, kept in state["state"].items():
            kept["compensation"] = states[0]["state"][number]["compensation"].clone()
        state["param_groups"][0]["noise_step"] = 23
    states[0]["param_groups"][0]["noise_step"] = 23
    merged = merge_momenta(states, "restart")
    zeros = [momentum.zero_state(momentum_dtype, torch.empty(shape, dtype=torch.bfloat16)) for shape in SHAPES]
    for number, zero in enumerate(zeros):
        compensation = states[0]["state"][number]["compensation"]
        assert compensation.any()
        assert_same_state(merged["state"][number], {**zero, "compensation": compensation})
    assert merged["param_groups"] == states[3]["param_groups"]
    optimizer = lionkit.Lion([nn.Parameter(torch.ones(it, dtype=torch.bfloat16)) for it in SHAPES], **SETTINGS)
    optimizer.load_state_dict(merged)
    assert optimizer.param_groups[0]["noise_step"] == 23


def test_a_worker_that_never_had_a_gradient_counts_as_zeros():
    states = states_of_four()
    del states[0]["state"][0]
    states[2]["state"][0] = {}
    for state in states:
        del state["state"][3]
    merged = merge_momenta(states, "average")
    expected = (states[1]["state"][0]["exp_avg"].double() + states[3]["state"][0]["exp_avg"]) / 4
    assert merged["state"][0]["exp_avg"].equal(expected.float())
    assert merged["state"].keys() == {0, 1, 2}
    assert merge_momenta(states, "restart")["state"].keys() == {0, 1, 2}


def test_nans_stay():
    states = states_of_four(momentum_dtype="int8")
    states[1]["state"][0]["exp_avg"][2, 1] = torch.nan
    states[1]["state"][2]["exp_avg_scales"][3] = torch.nan
    merged = merge_momenta(states, "average")["state"]
    assert merged[0]["exp_avg"].isnan().nonzero().tolist() == [[2, 1]]
    assert merged[2]["exp_avg_scales"].isnan().nonzero().flatten().tolist() == [3]


def forget_scales(state):
    del state["state"][2]["exp_avg_scales"]


def another_step(state):
    state["param_groups"][0]["noise_step"] += 1


def another_group(state):
    state["param_groups"].append(state["param_groups"][0])


def another_compensation(state):
    state["state"][1]["compensation"] = torch.ones(3)


def low_rank(state):
    state["state"][0] = {"exp_avg_left": 0, "exp_avg_right": 0, "exp_avg_sizes": 0}


def another_shape(state):
    state["state"][0]["exp_avg"] = torch.zeros(3, 5)


def another_agreement(state):
    state["param_groups"][0]["agreement"] = "Mean()"


def other_parameters(state):
    state["param_groups"][0]["params"] = [0, 1, 2, 4]


def without_groups(state):
    del state["param_groups"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (forget_scales, "Invalid state of parameter 2: rank 2 has .*it must have 'exp_avg', or 'exp_avg_codes' and"),
        (low_rank, "Invalid state of parameter 0: rank 2 has .*'exp_avg_left'.*it must have 'exp_avg', or"),
        (another_step, "Invalid noise_step of group 0: rank 2 has 5, it must be 4, as on rank 0"),
        (another_group, "Invalid number of groups: rank 2 has 2, it must be 1, as on rank 0"),
        (another_agreement, "Invalid agreement of group 0: rank 2 has Mean\\(\\), it must be None, as on rank 0"),
        (other_parameters, r"Invalid params of group 0: rank 2 has \[0, 1, 2, 4\], it must be \[0, 1, 2, 3\], as on"),
        (without_groups, r"Invalid states: rank 2 has \['state'\], it must be a state_dict\(\) with 'state' and"),
        (
            another_shape,
            r"Invalid exp_avg of parameter 0: rank 2 has torch.float32 of shape \(3, 5\), it must be torch.float32 of "
            r"shape \(5, 3\), as on rank 0",
        ),
        (
            another_compensation,
            r"Invalid compensation of parameter 1: rank 2 has torch.float32 of shape \(3,\), it must be None, as on",
        ),
    ],
)
@pytest.mark.parametrize("how", ["average", "restart"])
def test_states_that_do_not_fit_are_refused(spoil, message, how):
    states = states_of_four(momentum_dtype="int8")
    spoil(states[2])
    with pytest.raises(ValueError, match=message) as error:
        merge_momenta(states, how)
    assert "\n" not in str(error.value)


def test_other_momentum_dtypes_and_betas_are_refused():
    states = states_of_four()
    with pytest.raises(ValueError, match="Invalid momentum_dtype of group 0: rank 1 has bfloat16, it must be None"):
        merge_momenta([states[0], stepped(1, momentum_dtype="bfloat16")[0]], "average")
    states[3]["param_groups"][0]["betas"] = (0.85, 0.98)
    with pytest.raises(ValueError, match=r"betas of group 0: rank 3 has \(0.85, 0.98\), it must be \(0.85, 0.97\)"):
        merge_momenta(states, "average")


def test_the_same_form_with_other_values_is_told_as_that():
    states = states_of_four(weight_rounding="kahan", dtype=torch.bfloat16)
    message = "Invalid compensation of parameter 0: rank 1 has other values, it must be the same, as on rank 0"
    with pytest.raises(ValueError, match=message):
        merge_momenta(states, "average")


@pytest.mark.parametrize(
    ("states", "how", "message"),
    [
        ([], "average", "Invalid states: there are 0, there must be at least 1"),
        ([[]], "restart", r"Invalid states: rank 0 has a list, it must be a state_dict\(\) with"),
        ([{}], "mean", "Invalid how: 'mean', it must be 'average' or 'restart'"),
    ],
)
def test_other_arguments_are_refused(states, how, message):
    with pytest.raises(ValueError, match=message):
        merge_momenta(states, how)


def _abstaining_under_kahan(rank):
    """Take a step in which rank 1 leaves a layer out; load one's own state into another optimizer."""
    net, other = make_net(torch.bfloat16), make_net(torch.bfloat16)
    optimizers = [lionkit.Lion(it.named_parameters(), weight_rounding="kahan", **SETTINGS) for it in (net, other)]
    model = wrapped(net)
    agree(model, optimizers[0], Vote())
    loss_of(model, batch_of(rank, 0, dtype=torch.bfloat16)).backward()
    optimizers[0].step()
    optimizers[1].load_state_dict(optimizers[0].state_dict())
    return [it.state_dict() for it in optimizers]


def test_a_worker_that_abstains_keeps_its_compensation():
    found = run(_abstaining_under_kahan, 2)
    for saved, loaded in found:
        assert all(assert_same_state(loaded["state"][number], kept) for number, kept in saved["state"].items())
    (one, _), (other, _) = found
    assert set(other["state"][3]) == {"compensation"}
    merged = merge_momenta([one, other], "average")["state"][3]
    half = one["state"][3]["exp_avg"] / 2
    assert half.any()
    assert_same_state(merged, {"exp_avg": half, "compensation": other["state"][3]["compensation"]})
    assert_same_state(merge_momenta([other, one], "average")["state"][3], merged)


BREAK, END = 7, 19


def _train(rank, folder, first, last, how=None):
    """Train on from the states of all files of a folder, or from the start, and leave one's own there."""
    net = make_net()
    optimizer = lionkit.Lion(net.named_parameters(), **SETTINGS, foreach=False)
    if how is not None:
        saved = [torch.load(path) for path in sorted(folder.glob("*.pt"))]
        net.load_state_dict(saved[-1]["weights"])
        optimizer.load_state_dict(merge_momenta([it["optimizer"] for it in saved], how))
    model = wrapped(net)
    agree(model, optimizer, Vote())
    for step in range(first, last):
        optimizer.zero_grad()
        loss_of(model, batch_of(rank, step)).backward()
        optimizer.step()
    if how is None:
        torch.save({"weights": net.state_dict(), "optimizer": optimizer.state_dict()}, folder / f"{rank}.pt")
    return {name: param.detach().clone() for name, param in net.named_parameters()}


def expected_on(workers, how, before):
    """Return what Algorithm 1 makes of four workers until the break, and of so many after it."""
    net = make_net()
    settings = {"micros": 1, **SETTINGS}
    old = algorithm1.train(net, 4, BREAK, **settings)
    x = dict(net.named_parameters())
    mean = {name: (sum(m[name].double() for m in old) / 4).to(param.dtype) for name, param in x.items()}
    start = mean if how == "average" else {name: torch.zeros_like(param) for name, param in x.items()}
    assert all(before[name].equal(param) for name, param in x.items())
    m = [{name: value.clone() for name, value in start.items()} for _ in range(workers)]
    for t in range(BREAK, END):
        grads = [algorithm1.gradients(net, i, t, micros=1) for i in range(workers)]
        delta = [algorithm1.local_step(m[i], grads[i], SETTINGS["betas"], torch.sign) for i in range(workers)]
        for name in x:
            sent = [own.get(name, torch.zeros_like(x[name])) for own in delta]
            if any(name in own for own in delta):
                with torch.no_grad():
                    decayed = torch.add(algorithm1.majority(sent), x[name], alpha=SETTINGS["weight_decay"])
                    x[name].add_(decayed, alpha=-SETTINGS["lr"])
    return {name: param.detach() for name, param in x.items()}


def test_four_workers_go_on_as_two_or_three_to_the_bit(tmp_path):
    before = run(_train, 4, tmp_path, 0, BREAK)
    for workers, how in [(2, "average"), (2, "restart"), (3, "average")]:
        found = run(_train, workers, tmp_path, BREAK, END, how)
        expected = expected_on(workers, how, before[0])
        for rank in range(workers):
            assert all(found[rank][name].equal(value) for name, value in expected.items())
