"""How the sums of a step become its statistics; what they measure is tested with `observe`."""

import dataclasses
import math

import pytest
import torch

from lionkit.kernels._statistics import SUMS
from lionkit.probes import Statistics
from lionkit.probes._step import summarise


def sums(**values):
    return torch.tensor([float(values.get(name, 0)) for name in SUMS], dtype=torch.float64)


def test_every_sum_has_its_field():
    fields = [field.name for field in dataclasses.fields(Statistics)]
    assert fields == [*SUMS, "kkt_residual"]
    numbers = {name: number for number, name in enumerate(SUMS, start=1)}
    (group,) = summarise(4, [sums(**numbers)], [0.5]).groups
    assert {name: getattr(group, name) for name in SUMS} == numbers
    assert [type(getattr(group, name)) for name in ("num_zero", "numel", "c_l1")] == [int, int, float]


def test_properties():
    values = {"grad_l1": 6, "grad_sq": 9, "num_zero": 1, "num_agree": 2, "num_on_box": 3, "numel": 16, "c_min": 0.25}
    total = summarise(1, [sums(**values)], [0.5]).total
    assert (total.grad_l2, total.ratio, total.ratio_over_sqrt_dim) == (3, 2, 0.5)
    assert (total.zero_share, total.agreement_share, total.saturation, total.tau) == (1 / 16, 2 / 16, 3 / 16, 0.25)


def test_the_total_sums_residuals_of_different_decays():
    parts = [sums(c_l1=3, theta_c=-2, numel=1), None, sums(c_l1=1, theta_c=4, numel=2)]
    measured = summarise(7, parts, [0.5, 9.0, 0.25])
    assert [group and group.kkt_residual for group in measured.groups] == [2.0, None, 2.0]
    assert measured.total.kkt_residual == 4.0
    assert measured.total.numel == 3


@pytest.mark.parametrize(("decay", "finite"), [(0.0, True), (0.5, False)])
def test_without_decay_the_weights_do_not_count(decay, finite):
    total = summarise(1, [sums(c_l1=3, theta_c=math.inf, numel=1)], [decay]).total
    assert math.isfinite(total.kkt_residual) is finite
