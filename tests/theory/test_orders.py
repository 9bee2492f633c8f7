"""Rates without constants: each against its source's expression, and its exponents by ratios."""

import math

import pytest

from lionkit import theory
from lionkit.theory import Problem

PROBLEM = Problem(dim=625, smoothness=4.0, noise=3.0, gap=9.0)
WIDER = Problem(dim=625 * 16, smoothness=4.0, noise=3.0, gap=9.0)
STEPS = 4096

RATES = {
    theory.sgd_rate: (math.pow(9.0 * 4.0 * 9.0, 0.25) / 8, 0, -1 / 4),
    theory.clion_rate: (25 / 8, 1 / 2, -1 / 4),
    theory.centralized_rate: (25 / 8, 1 / 2, -1 / 4),
    theory.centralized_vr_rate: (25 / 16, 1 / 2, -1 / 3),
    theory.one_bit_vr_rate: (5 / 8, 1 / 4, -1 / 4),
}


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: rate.__name__)
def test_value_and_exponents(rate):
    value, in_dim, in_steps = RATES[rate]
    assert rate(PROBLEM, STEPS).value == pytest.approx(value, rel=1e-12)
    assert rate(WIDER, STEPS).value == pytest.approx(value * 16**in_dim, rel=1e-12)
    assert rate(PROBLEM, STEPS * 16).value == pytest.approx(value * 16**in_steps, rel=1e-12)


@pytest.mark.parametrize(
    ("rate", "exponent"), [(theory.distributed_rate, -1 / 4), (theory.distributed_vr_rate, -1 / 3)]
)
def test_workers_count_as_steps(rate, exponent):
    value = rate(PROBLEM, STEPS, 16).value
    assert value == pytest.approx(25 * (16 * STEPS) ** exponent, rel=1e-12)
    assert value == pytest.approx(rate(PROBLEM, STEPS * 16, 1).value, rel=1e-12)
    assert rate(WIDER, STEPS, 16).value == pytest.approx(4 * value, rel=1e-12)


def test_sign_momentum_is_linear_in_dim():
    assert theory.sign_momentum_rate(PROBLEM, STEPS).value == pytest.approx((9 / 4 + 625) / 8, rel=1e-12)


def test_one_bit_up():
    dim, workers = 625, 10**6
    slow, fast = math.sqrt(dim / STEPS), math.sqrt(workers) / STEPS
    expected = min(slow, fast) + dim / 1000
    assert theory.one_bit_uplink_rate(PROBLEM, STEPS, workers).value == pytest.approx(expected, rel=1e-12)
    assert theory.one_bit_uplink_rate(PROBLEM, STEPS, 4 * 10**8).value == pytest.approx(slow + dim / 2e4, rel=1e-12)


def test_one_bit_both_ways_is_the_slower_of_two():
    small = Problem(dim=2, smoothness=4.0, noise=3.0, gap=9.0)
    few, many = (theory.one_bit_rate(small, STEPS, workers).value for workers in (1, 10**12))
    assert few == pytest.approx(2**0.1 / 4096**0.2, rel=1e-12)
    assert many == pytest.approx(2**0.25 / 8, rel=1e-12)


def test_stability():
    assert theory.lion_stability_rate(1000, 7, 0.125).value == pytest.approx(8**7 / 1000, rel=1e-12)
    assert theory.lion_stability_rate(1000, 10**6, 1e-4).value == math.inf
    assert theory.lion_stability_rate(1000, 10**6, 1.0).value == pytest.approx(1e-3)
    assert theory.clion_stability_rate(1000).value == 1e-3


def test_settings_are_in_this_librarys_betas():
    text = str(theory.distributed_rate(PROBLEM, STEPS, 4))
    assert "1 - beta2 = O(n^(1/2) T^(-1/2))" in text
    assert "needs  T >= n" in text
