"""Means with intervals, paired tests and power laws, against scipy and by hand."""

import doctest
import importlib
import math
import statistics

import pytest
import scipy.stats

from lionkit.probes import Estimate
from lionkit_lab.statistics import Spread, TTest, fit, t_test

LION, SGD = (0.512, 0.498, 0.530, 0.507), (0.561, 0.533, 0.552, 0.560)


def test_mean_deviation_and_interval() -> None:
    spread = Spread(LION)
    expected = scipy.stats.t.interval(0.95, 3, statistics.fmean(LION), scipy.stats.sem(LION))
    assert (spread.mean, spread.sd) == (statistics.fmean(LION), statistics.stdev(LION))
    assert spread.interval is not None
    assert (spread.interval.low, spread.interval.high) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("module", ["_power_law", "_spread", "_t_test"])
def test_the_examples_say_what_comes_out(module: str) -> None:
    assert doctest.testmod(importlib.import_module(f"lionkit_lab.statistics.{module}")).failed == 0


def test_one_seed_has_no_spread() -> None:
    lone = Spread((0.5,))
    assert (lone.sd, lone.interval, t_test(lone)) == (None, None, None)


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("scale", [1.0, -1.0, 1e-6])
def test_the_paired_test_is_scipys(count: int, scale: float) -> None:
    own, base = [scale * value for value in SGD[:count]], [scale * value for value in LION[:count]]
    expected = scipy.stats.ttest_rel(own, base)
    found = t_test(Spread(tuple(own)).minus(Spread(tuple(base))))
    assert found is not None
    assert found.t == pytest.approx(expected.statistic, rel=1e-9)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.freedom == expected.df == count - 1


def test_differences_without_spread() -> None:
    assert t_test(Spread((0.0, 0.0))) == TTest(0.0, 1.0, 1)
    assert t_test(Spread((-0.25, -0.25, -0.25))) == TTest(-math.inf, 0.0, 2)


def test_seeds_that_one_side_lacks_are_left_out() -> None:
    found = Spread.of_differences({3: 1.5, 1: 1.0, 9: 7.0}, {1: 0.25, 2: 5.0, 3: 0.5})
    assert found == Spread((0.75, 1.0))
    assert Spread.of_differences({1: 1.0}, {2: 1.0}) is None


def test_the_fit_finds_a_power_law_without_noise():
    law = fit([[(d, 0.7 * d**0.43) for d in (1e3, 1e4, 2e5, 3e6)]])
    assert law.factor == pytest.approx(0.7)
    assert law.exponent.value == pytest.approx(0.43)
    assert law.exponent.high - law.exponent.low < 1e-6
    assert law.at(500) == pytest.approx(0.7 * 500**0.43)


def test_the_interval_is_students():
    points = [(10.0, 3.0), (100.0, 11.0), (1000.0, 25.0), (10000.0, 120.0)]
    x, y = ([math.log(pair[axis]) for pair in points] for axis in (0, 1))
    slope, intercept = statistics.linear_regression(x, y)
    residuals = [b - slope * a - intercept for a, b in zip(x, y, strict=True)]
    spread = sum((a - statistics.fmean(x)) ** 2 for a in x)
    error = math.sqrt(sum(one**2 for one in residuals) / 2 / spread)
    expected = Estimate.of_error(slope, error, 2, 0.95, 4)
    law = fit([points])
    assert law.factor == pytest.approx(math.exp(intercept))
    assert law.exponent.low == pytest.approx(expected.low)
    assert law.exponent.high == pytest.approx(expected.high)
    assert law.exponent.num_samples == 4


def test_groups_of_their_own_height_do_not_pass_for_growth():
    low, high = ([(d, a * d**0.5) for d in dims] for a, dims in ((0.1, (10, 100, 1000)), (0.9, (1e4, 1e5, 1e6))))
    assert fit([low, high]).exponent.value == pytest.approx(0.5)
    assert fit([low, high]).factor == pytest.approx(0.3)
    assert fit([low + high]).exponent.value > 0.6


@pytest.mark.parametrize(
    "groups",
    [
        [],
        [[]],
        [[(1.0, 2.0), (3.0, 4.0)]],
        [[(2.0, 1.0), (2.0, 2.0), (2.0, 3.0)]],
        [[(929_280.0, y) for y in (1.0, 2.0, 3.0, 4.0, 5.0)]] * 2,
    ],
)
def test_too_few_points_have_no_fit(groups):
    assert fit(groups) is None
