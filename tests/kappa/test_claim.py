"""The claim: LionK with a falling lr reaches the minimiser of f(x) + kappa*(wd x) / wd, for a convex f."""

import pytest
from claim import CONVERGENT, measure

from lionkit.kappa import Arctan, Entropy, HalfSquaredL2, Relativistic, Spectral

WALLS_OUT_OF_REACH = (HalfSquaredL2, Relativistic, Entropy, Arctan)


def check(kappa, outcomes):
    assert all(outcome.gap <= 1e-6 for outcome in outcomes), "the reference itself is off"
    assert max(outcome.distance for outcome in outcomes) <= 1e-3
    assert sum(outcome.missed for outcome in outcomes) == 0
    assert all(outcome.gauge <= 1 + 1e-9 for outcome in outcomes)
    if not isinstance(kappa, WALLS_OUT_OF_REACH):
        assert any(outcome.touched for outcome in outcomes)
    if outcomes[0].bounds > 1:
        assert sum(outcome.touched for outcome in outcomes) < sum(outcome.bounds for outcome in outcomes)


@pytest.mark.parametrize("kappa", CONVERGENT, ids=repr)
def test_lionk_solves_its_problem(kappa):
    check(kappa, measure(kappa, shapes=[(2, 3), (5, 4)], seeds=[1], steps=1500))


@pytest.mark.slow
@pytest.mark.parametrize("kappa", CONVERGENT, ids=repr)
def test_lionk_solves_its_problem_in_more_dimensions(kappa):
    check(kappa, measure(kappa, shapes=[(2, 3), (5, 4), (8, 8)], seeds=range(3), steps=4000))


def test_newton_schulz_ends_near_the_minimiser_and_not_at_it():
    """A negative result: the published iteration solves another problem than the one of the nuclear norm."""
    outcomes = measure(Spectral(), shapes=[(2, 3), (5, 4)], seeds=[1], steps=1500)
    assert all(1e-2 < outcome.distance < 0.5 for outcome in outcomes)
    assert max(outcome.gauge for outcome in outcomes) <= 1.15
