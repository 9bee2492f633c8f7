"""The sums of a step against plain float64, coordinate by coordinate, and how they merge."""

import math

import pytest
import torch

from lionkit.kernels._statistics import SUMS, merge, statistics

SETTINGS = {"betas": (0.7, 0.95), "weight_decay": 0.4}


def by_hand(theta, g, m, beta1, weight_decay, maximize):
    """One coordinate at a time with Python's floats."""
    columns = [tensor.double().flatten().tolist() for tensor in (theta, g, m)]
    result = dict.fromkeys(SUMS, 0.0) | {"c_min": math.inf}
    for t, gi, mi in zip(*columns, strict=True):
        gi = -gi if maximize else gi
        c = beta1 * mi + (1 - beta1) * gi
        for name, term in {
            "grad_l1": abs(gi),
            "grad_sq": gi * gi,
            "c_l1": abs(c),
            "theta_c": t * c,
            "theta_m": t * mi,
            "momentum_l1": abs(mi),
            "num_zero": c == 0,
            "num_agree": c * gi > 0,
            "num_on_box": weight_decay * abs(t) >= 0.999,
            "numel": 1,
        }.items():
            result[name] += term
        result["theta_max"] = max(result["theta_max"], abs(t))
        result["c_min"] = min(result["c_min"], abs(c) or math.inf)
    return [result[name] for name in SUMS]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("momentum_dtype", [None, torch.float32], ids=["own", "float32"])
@pytest.mark.parametrize("maximize", [False, True])
def test_equals_the_sums_by_hand(dtype, momentum_dtype, maximize):
    shapes = [(17, 31), (), (0, 3), (5,)]
    params, grads, momenta = ([torch.randn(shape).to(dtype) for shape in shapes] for _ in range(3))
    momenta = [momentum.to(momentum_dtype or dtype) for momentum in momenta]
    grads[0][3], momenta[0][3] = 0, 0  # a row that has never had a gradient
    params[0][0, 0], params[0][0, 1] = 2.5, -2.5  # on the box of 1 / 0.4
    measured = statistics(params, grads, momenta, **SETTINGS, maximize=maximize)
    parts = [by_hand(*one, 0.7, 0.4, maximize) for one in zip(params, grads, momenta, strict=True)]
    expected = merge(torch.tensor(part, dtype=torch.float64) for part in parts)
    assert measured.dtype == torch.float64
    tolerance = 1e-12 if dtype is torch.float64 and momentum_dtype is None else 1e-5
    torch.testing.assert_close(measured, expected, rtol=tolerance, atol=tolerance)
    by_name = dict(zip(SUMS, measured.tolist(), strict=True))
    assert by_name["num_zero"] == 31
    assert by_name["num_on_box"] >= 2
    assert by_name["numel"] == 17 * 31 + 1 + 5


def test_nothing_is_written():
    tensors = [[torch.randn(9)] for _ in range(3)]
    kept = [column[0].clone() for column in tensors]
    statistics(*tensors, **SETTINGS, maximize=True)
    assert all(column[0].equal(copy) for column, copy in zip(tensors, kept, strict=True))


def test_half_precision_sums_do_not_stall():
    """In bfloat16 a sum of ones would stand still at 256."""
    ones = torch.ones(100_000, dtype=torch.bfloat16)
    assert statistics([ones], [ones], [ones], **SETTINGS, maximize=False)[SUMS.index("grad_l1")] == 100_000


def test_parts_merge_to_the_whole():
    params, grads, momenta = ([torch.randn(n, dtype=torch.float64) for n in (7, 1, 40)] for _ in range(3))
    whole = statistics(params, grads, momenta, **SETTINGS, maximize=False)
    parts = [
        statistics([p], [g], [m], **SETTINGS, maximize=False) for p, g, m in zip(params, grads, momenta, strict=True)
    ]
    torch.testing.assert_close(merge(parts), whole)
    torch.testing.assert_close(merge([whole]), whole, rtol=0, atol=0)


def test_of_nothing_are_the_sums_of_no_coordinate():
    expected = [math.inf if name == "c_min" else 0.0 for name in SUMS]
    assert merge([]).tolist() == expected
    assert statistics([], [], [], **SETTINGS, maximize=False).tolist() == expected


def test_without_decay_no_weight_is_on_the_box():
    theta = torch.tensor([1e30, torch.inf, 3.0])
    measured = statistics([theta], [theta], [theta], betas=(0.9, 0.99), weight_decay=0.0, maximize=False)
    assert measured[SUMS.index("num_on_box")] == 0
