"""`check_numerics`: which weights a step cannot move, and the one warning of it."""

import warnings

import pytest
import torch
from torch_database import FOREACH

import lionkit
from lionkit.kappa import L1, HalfSquaredL2

HALVES = pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)


def stands_still(theta, direction, lr, weight_decay):
    """In exact arithmetic: the step ends nearer to the old weight than to its neighbours."""
    exact = theta.double() - lr * (direction.double() + weight_decay * theta.double())
    return exact.to(theta.dtype) == theta


@HALVES
@pytest.mark.parametrize("momentum_dtype", [None, "float32", "int8"])
@pytest.mark.parametrize("kappa", [L1(), HalfSquaredL2()], ids=repr)
@pytest.mark.filterwarnings("ignore:.*half-precision weights stand still")
def test_counts_what_the_next_step_of_this_direction_would_not_move(dtype, momentum_dtype, kappa):
    weight = torch.nn.Parameter((torch.randn(90, 70) * 0.5).to(dtype))
    options = {"lr": 2e-3, "weight_decay": 0.3, "kappa": kappa, "momentum_dtype": momentum_dtype}
    optimizer = lionkit.LionK([weight, torch.nn.Parameter(torch.ones(3))], **options)
    fresh = optimizer.check_numerics()
    direction = torch.ones_like(weight)
    assert fresh.total.num == stands_still(weight.detach(), direction, 2e-3, 0.3).sum()
    assert 0 < fresh.total.num < fresh.total.numel == 6300
    for _ in range(3):
        weight.grad = torch.randn(90, 70).to(dtype)
        optimizer.step()
    m = lionkit.momentum.decode_state(optimizer.state[weight], weight).float()
    direction = torch.where(m == 0, torch.ones_like(m), kappa.gradient(m))
    expected = stands_still(weight.detach(), direction, 2e-3, 0.3).sum().item()
    assert optimizer.check_numerics().total.num == pytest.approx(expected, abs=6)  # float32 at half-way points


def test_groups_and_the_table():
    half = [torch.nn.Parameter(torch.ones(2000, dtype=torch.bfloat16)) for _ in range(2)]
    wide = torch.nn.Parameter(torch.ones(50))
    groups = [{"params": half[:1]}, {"params": half[1:], "weight_rounding": "kahan"}, {"params": [wide]}]
    report = lionkit.Lion(groups, lr=1e-4).check_numerics()
    assert [(group.num, group.numel) for group in report.groups] == [(2000, 2000), (0, 2000), (0, 0)]
    assert report.total.share == 0.5
    assert str(report).splitlines() == [
        "group 0            2,000 of 2,000          100.0%  nearest",
        "group 1                0 of 2,000            0.0%  kahan",
        "group 2                0 of 0                0.0%  nearest",
        "total              2,000 of 4,000           50.0%",
        "these half-precision weights stand still: take weight_rounding='stochastic' (bfloat16) or 'kahan', "
        "float32 weights, or a larger lr",
    ]
    assert str(lionkit.Lion([wide]).check_numerics()).endswith("every weight can move")


def test_nothing_is_written():
    weight = torch.nn.Parameter(torch.ones(5000, dtype=torch.bfloat16))
    optimizer = lionkit.Lion([weight], lr=0.1, momentum_dtype="int8")
    optimizer.check_numerics()
    assert not optimizer.state
    assert weight.tolist() == [1.0] * 5000


def steps(optimizer, weight, lrs):
    """Take steps of these lrs; return how many warnings each gave."""
    counts = []
    for lr in lrs:
        optimizer.param_groups[0]["lr"] = lr
        weight.grad = torch.ones_like(weight)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            optimizer.step()
        counts.append(len(caught))
    return counts


@FOREACH
@pytest.mark.parametrize("tensor", [False, True])
def test_one_warning_at_the_end_of_the_warm_up(foreach, tensor):
    weight = torch.nn.Parameter(torch.ones(64, dtype=torch.bfloat16))
    optimizer = lionkit.Lion([weight], foreach=foreach)
    lrs = [0.0, 0.0, 1e-6, 5e-5, 1e-4, 1e-4, 9e-5, 1e-5]
    assert steps(optimizer, weight, map(torch.tensor, lrs) if tensor else lrs) == [0, 0, 0, 0, 0, 1, 0, 0]


@pytest.mark.parametrize("scheduled", [False, True])
def test_the_warning_points_at_the_training_loop(scheduled):
    weight = torch.nn.Parameter(torch.ones(64, dtype=torch.bfloat16))
    optimizer = lionkit.Lion([weight], lr=1e-4)
    if scheduled:  # it wraps the step once more
        torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            weight.grad = torch.ones_like(weight)
            optimizer.step()
    assert [it.filename for it in caught if "stand still" in str(it.message)] == [__file__]


@pytest.mark.parametrize(
    ("value", "lr", "rounding", "dtype"),
    [
        (0.01, 1e-4, "nearest", torch.bfloat16),  # small weights lie closer together
        (1.0, 0.1, "nearest", torch.bfloat16),
        (1.0, 1e-4, "kahan", torch.bfloat16),
        (1.0, 1e-4, "stochastic", torch.bfloat16),
        (1.0, 1e-4, "nearest", torch.float32),
    ],
)
def test_no_warning_without_reason(value, lr, rounding, dtype):
    weight = torch.nn.Parameter(torch.full((64,), value, dtype=dtype))
    optimizer = lionkit.Lion([weight], weight_rounding=rounding)
    assert not any(steps(optimizer, weight, [lr] * 4))


def test_a_tenth_is_not_yet_worth_it():
    weight = torch.nn.Parameter(torch.tensor([1.0] * 10 + [1e-3] * 90, dtype=torch.bfloat16))
    assert not any(steps(lionkit.Lion([weight]), weight, [1e-4] * 3))
    weight = torch.nn.Parameter(torch.tensor([1.0] * 11 + [1e-3] * 89, dtype=torch.bfloat16))
    assert steps(lionkit.Lion([weight]), weight, [1e-4] * 3) == [0, 1, 0]
