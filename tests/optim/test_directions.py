"""Masks, gates and decays, beside their formulas."""

import pytest
import torch
from members import parameters, train
from torch import nn

from lionkit import optim

LR, BETA1, BETA2, DECAY = 0.01, 0.8, 0.95, 0.3


@pytest.mark.parametrize(
    ("normalisation", "factor"),
    [
        ("published", lambda n, k: n / (k + 1)),
        ("eps", lambda n, k: n / (k + 1e-8)),
        ("clamp_1e-3", lambda n, k: 1 / max(k / n, 1e-3)),
        ("clamp_1e-5", lambda n, k: 1 / max(k / n, 1e-5)),
    ],
)
@pytest.mark.parametrize("agree", [0, 2, 6])
def test_the_mask_scales_what_agrees(normalisation, factor, agree):
    """A momentum of 1 against gradients of -1 and 1: the sign is that of the momentum."""
    gradient = torch.tensor([1.0] * agree + [-1.0] * (6 - agree), dtype=torch.float64)
    weight = nn.Parameter(torch.full((6,), 2.0, dtype=torch.float64))
    stepper = optim.CautiousLion([weight], LR, (BETA1, BETA2), DECAY, normalisation=normalisation)
    stepper.state[weight]["exp_avg"] = torch.ones(6, dtype=torch.float64)
    weight.grad = gradient
    stepper.step()
    moved = LR * factor(6, agree)
    expected = [2 * (1 - LR * DECAY) - (moved if g > 0 else 0) for g in gradient.tolist()]
    assert weight.tolist() == pytest.approx(expected, rel=1e-13)


def test_a_mask_knows_which_way_is_down_with_maximize():
    runs = []
    for maximize in (False, True):
        weight = nn.Parameter(torch.zeros(4, dtype=torch.float64))
        stepper = optim.CautiousLion([weight], LR, weight_decay=DECAY, maximize=maximize)
        stepper.state[weight]["exp_avg"] = torch.tensor([1.0, 1, -1, -1], dtype=torch.float64)
        weight.grad = torch.tensor([1.0, -1, 1, -1], dtype=torch.float64) * (-1 if maximize else 1)
        stepper.step()
        runs.append(weight.tolist())
    assert runs[0] == runs[1]
    assert [value != 0 for value in runs[0]] == [True, False, False, True]


def test_a_gate_is_open_or_shut_for_a_whole_tensor_and_zeros_do_not_count():
    """The first tensor's smallest c that is not 0 is 0.2, the second's 0.02."""
    grads = torch.tensor([1.0, -2.0, 0.0]).double(), torch.tensor([1.0, -0.1, 3.0]).double()
    moved = {}
    for gate in ("tensor", "model"):
        params = [nn.Parameter(torch.zeros(3, dtype=torch.float64)) for _ in grads]
        stepper = optim.CLion(params, LR, (BETA1, BETA2), DECAY, nu=0.1, gate=gate)
        for param, grad in zip(params, grads, strict=True):
            param.grad = grad
        stepper.step()
        moved[gate] = [(param / -LR).tolist() for param in params]
    shut = [pytest.approx([(1 - BETA1) * g for g in grad.tolist()]) for grad in grads]
    assert moved["tensor"] == [pytest.approx([1, -1, 0]), shut[1]]
    assert moved["model"] == shut


def test_a_models_gate_sees_every_group_and_codes_no_scale():
    weights = [nn.Parameter(torch.zeros(2)) for _ in range(2)]
    groups = [{"params": weights[:1]}, {"params": weights[1:], "maximize": True}]
    stepper = optim.CLion(groups, LR, (0.5, BETA2), nu=0.1, gate="model")
    for weight, size in zip(weights, (1.0, 0.1), strict=True):
        weight.grad = torch.full((2,), size)
    stepper.step()
    assert weights[0].tolist() == pytest.approx([-LR * 0.5] * 2)  # 0.05 in the other group shuts the gate
    assert weights[1].tolist() == pytest.approx([LR * 0.05] * 2)


def test_cautious_decay_takes_from_what_moves_towards_zero():
    weight = nn.Parameter(torch.tensor([1.0, 1.0, -1.0, 1.0], dtype=torch.float64))
    stepper = optim.Lion([weight], LR, (BETA1, BETA2), DECAY, weight_decay_mode="cautious")
    weight.grad = torch.tensor([1.0, -1.0, 1.0, 0.0], dtype=torch.float64)
    stepper.step()
    decay = LR * DECAY
    assert weight.tolist() == pytest.approx([1 - LR - decay, 1 + LR, -1 - LR, 1 - decay], rel=1e-14)


@pytest.mark.parametrize(
    ("mode", "shrink"),
    [
        ("lr", lambda lr: 1 - lr * DECAY),
        ("absolute", lambda lr: 1 - lr / LR * DECAY),
        ("corrected", lambda lr: 1 - lr * lr / LR * DECAY),
    ],
)
@pytest.mark.parametrize("tensor_lr", [False, True])
def test_decay_over_a_schedule(mode, shrink, tensor_lr):
    """Of groups that began with lrs of their own, across a resume in the middle of the schedule."""
    weights = [nn.Parameter(torch.full((3,), 5.0, dtype=torch.float64)) for _ in range(2)]
    others = [nn.Parameter(torch.full((3,), 5.0, dtype=torch.float64)) for _ in range(2)]

    def make(params):
        lr = torch.tensor(LR, dtype=torch.float64) if tensor_lr else LR
        groups = [{"params": params[:1]}, {"params": params[1:], "lr": LR / 4, "weight_decay": 0.0}]
        return optim.Lion(groups, lr, weight_decay=DECAY, weight_decay_mode=mode)

    stepper = make(weights)
    expected = 5.0
    for step in range(6):
        lr = LR * (1 - step / 8)
        if step == 3:
            for weight, other in zip(weights, others, strict=True):
                other.data.copy_(weight)
            weights, old = others, stepper
            stepper = make(weights)
            stepper.load_state_dict(old.state_dict())
            assert [group["reference_lr"] for group in stepper.param_groups] == (
                [None, None] if mode == "lr" else [LR, LR / 4]
            )
        stepper.param_groups[0]["lr"] = lr
        for weight in weights:
            weight.grad = torch.zeros_like(weight)
        stepper.step()
        expected *= shrink(lr)
    assert weights[0].tolist() == pytest.approx([expected] * 3, rel=1e-13)
    assert weights[1].tolist() == [5.0] * 3


def test_absolute_decay_has_one_box_for_the_whole_schedule():
    weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    stepper = optim.Lion([weight], 0.1, weight_decay=0.2, weight_decay_mode="absolute")
    observation = stepper.observe()
    for lr in (0.1, 0.02):
        stepper.param_groups[0]["lr"] = lr
        for _ in range(400):
            weight.grad = torch.full_like(weight, -1.0)
            stepper.step()
        assert weight.item() == pytest.approx(0.1 / 0.2, rel=1e-3)
    assert observation.latest.total.saturation == 1  # the probe measures against that box too


def test_seats_go_together():
    """A mask on stochastic roundings of bfloat16 weights, cautious decay and MARS, on any path."""
    for more in ({"momentum_dtype": "int8"}, {"weight_rounding": "stochastic"}, {"foreach": True}):
        params = parameters([(64, 65), (5,)], torch.bfloat16)
        stepper = optim.LionK(
            params, 0.01, weight_decay=0.1, gradient=optim.MARS(0.1), direction=optim.CautiousMask(),
            weight_decay_mode="cautious", **more,
        )  # fmt: skip
        losses = train(stepper, params, 30, noise=0.1)
        assert losses[-1] < losses[0]


@pytest.mark.parametrize("normalisation", ["published", "eps", "clamp_1e-3", "clamp_1e-5"])
@pytest.mark.parametrize("options", [{}, {"foreach": False}, {"foreach": True}])
def test_a_mask_that_nothing_passes_moves_nothing_in_float16(normalisation, options):
    """The factor of 70,000 coordinates of which none agrees is beyond what float16 can hold."""
    param = torch.nn.Parameter(torch.ones(70_000, dtype=torch.float16))
    param.grad = torch.zeros_like(param)
    optim.CautiousLion([param], 0.01, normalisation=normalisation, **options).step()
    assert torch.equal(param.detach(), torch.ones_like(param))
