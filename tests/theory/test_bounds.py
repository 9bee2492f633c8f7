"""Every bound against the paper's own expressions, its limits, its units, and how it moves with each constant."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paper import Paper

from lionkit import theory
from lionkit.theory import Assumption, Constants, Problem, Settings

EXACT = 1e-12

positive = st.floats(-3, 3).map(lambda exponent: 10.0**exponent)
problems = st.builds(Problem, dim=st.integers(1, 10**9), smoothness=positive, noise=positive, gap=positive)
constants = st.builds(Constants, c1=positive, c2=positive, c3=positive)
settings = st.builds(Settings, lr=positive, betas=st.tuples(st.floats(0, 0.9999), st.floats(0, 0.9999)))
counts = st.integers(1, 10**8)


def paper(problem, steps=1):
    return Paper(problem.dim, problem.smoothness, problem.noise, problem.gap, steps)


def values(bound):
    return [term.value for term in bound.terms]


def enough_steps(consts):
    return math.ceil(max(consts.c1, consts.c2) ** 2)


def close(expected):
    return pytest.approx([float(x) for x in expected], rel=EXACT)


@given(problem=problems, steps=counts, at=settings)
def test_lemma6(problem, steps, at):
    assert values(theory.lemma6(problem, steps, at)) == close(paper(problem, steps).lemma6(*at.betas, at.lr))


@given(problem=problems, steps=counts, consts=constants)
def test_theorem2(problem, steps, consts):
    steps += enough_steps(consts)
    bound = theory.theorem2(problem, steps, consts)
    expected = paper(problem, steps).theorem2(consts.c1, consts.c2, consts.c3)
    assert values(bound) == close(expected)
    assert bound.total == pytest.approx(float(sum(expected)), rel=EXACT)
    assert [term.name for term in bound.terms] == ["gap", "start", "drift", "noise", "curvature"]


@given(problem=problems, steps=counts, at=settings)
def test_theorem2_at_any_settings(problem, steps, at):
    bound = theory.theorem2_at(problem, steps, at)
    assert bound.total == pytest.approx(float(paper(problem, steps).proof_of_theorem2(*at.betas, at.lr)), rel=EXACT)


@given(problem=problems, steps=counts, consts=constants)
def test_theorem2_at_its_own_settings_differs_in_one_rounding_up(problem, steps, consts):
    steps += enough_steps(consts) * 10**4  # or the digits of 1 - beta are lost in beta
    at = theory.theorem2_at(problem, steps, consts.settings(problem.dim, steps))
    stated = theory.theorem2(problem, steps, consts)
    for name in ("gap", "start", "drift", "curvature"):
        assert at[name] == pytest.approx(stated[name], rel=1e-6)
    rounding = (abs(consts.c1 - consts.c2) + consts.c1) / (2 * consts.c1 + consts.c2)
    assert at["noise"] == pytest.approx(stated["noise"] * rounding, rel=1e-3)


@given(problem=problems, steps=counts, consts=constants)
def test_constants_to_settings(problem, steps, consts):
    steps += enough_steps(consts)
    got = consts.settings(problem.dim, steps)
    beta1, beta2, eta = paper(problem, steps).settings(consts.c1, consts.c2, consts.c3)
    assert got.betas == pytest.approx((float(beta1), float(beta2)), abs=1e-15)
    assert got.lr == pytest.approx(float(eta), rel=EXACT)


@given(problem=problems, steps=counts)
def test_corollary3(problem, steps):
    found = theory.corollary3_constants(problem)
    assert dataclasses.astuple(found) == close(paper(problem).corollary3_constants())
    least = theory.corollary3_steps(problem)
    assert least == pytest.approx(float(paper(problem).corollary3_steps()), rel=EXACT)
    steps += math.ceil(least)
    bound = theory.corollary3(problem, steps)
    assert bound.total == pytest.approx(float(paper(problem, steps).corollary3()), rel=EXACT)
    under = values(theory.theorem2(problem, steps, found))
    assert all(term <= part * (1 + EXACT) for term, part in zip(under, values(bound), strict=True))


@given(problem=problems, steps=counts)
def test_three_of_the_fifteen_are_exact(problem, steps):
    steps += math.ceil(theory.corollary3_steps(problem))
    rounded, under = (
        theory.corollary3(problem, steps),
        theory.theorem2(problem, steps, theory.corollary3_constants(problem)),
    )
    for name in ("gap", "drift", "noise"):
        assert under[name] == pytest.approx(rounded[name], rel=1e-11)


@given(problem=problems)
def test_the_other_two_are_reached_at_the_least_number_of_steps(problem):
    one = dataclasses.replace(problem, noise=math.sqrt(problem.smoothness * problem.gap))  # both conditions: K >= 1
    rounded, under = theory.corollary3(one, 1), theory.theorem2(one, 1, theory.corollary3_constants(one))
    assert values(under) == pytest.approx(values(rounded), rel=1e-11)


@given(problem=problems, consts=constants)
def test_inequality10(problem, consts):
    bound = theory.inequality10(problem, consts)
    assert values(bound) == close(paper(problem).inequality10(consts.c1, consts.c2, consts.c3))


@given(problem=problems, steps=counts, consts=constants, radius=positive, share=st.floats(0, 1))
def test_theorem4_and_corollary5_are_the_constrained_bounds_on_half_the_gradient(problem, steps, consts, radius, share):
    steps += enough_steps(consts) + math.ceil(theory.corollary3_steps(problem))
    decay = share * min(1 / (2 * radius), 0.5 / consts.settings(problem.dim, steps).lr)
    theorem = theory.theorem4(problem, steps, consts, weight_decay=decay, radius=radius)
    assert theorem.total == theory.theorem2(problem, steps, consts).total
    assert theorem.quantity == "mean over k of E[|grad f(theta_k)|_1] / 2"
    own = theory.corollary3_constants(problem).settings(problem.dim, steps).lr
    decay = min(decay, 0.5 / own)
    corollary = theory.corollary5(problem, steps, weight_decay=decay, radius=radius)
    assert corollary.total == pytest.approx(float(paper(problem, steps).corollary3()), rel=EXACT)
    assert {Assumption.COERCIVE, Assumption.WITHIN_RADIUS} <= set(theorem.needs) & set(corollary.needs)


@given(problem=problems, steps=counts, consts=constants, loss=positive, weight=positive)
def test_the_units_agree(problem, steps, consts, loss, weight):
    """Loss in other units, and weights: every term must change as a loss per weight does."""
    steps += enough_steps(consts)
    scaled = Problem(
        problem.dim, problem.smoothness * loss / weight**2, problem.noise * loss / weight, problem.gap * loss
    )
    moved = dataclasses.replace(consts, c3=consts.c3 * weight)
    before, after = theory.theorem2(problem, steps, consts), theory.theorem2(scaled, steps, moved)
    assert values(after) == pytest.approx([value * loss / weight for value in values(before)], rel=1e-10)
    highest = [value * loss for value in values(theory.inequality10(problem, consts))]
    assert values(theory.inequality10(scaled, moved)) == pytest.approx(highest, rel=1e-10)
    found, again = theory.corollary3_constants(problem), theory.corollary3_constants(scaled)
    assert (again.c1, again.c3) == pytest.approx((found.c1, found.c3 * weight), rel=1e-10)


@given(problem=problems, steps=counts, consts=constants)
def test_how_it_moves(problem, steps, consts):
    """Longer runs are better; more weights, slope, noise or gap are worse, each term by its power."""
    steps += enough_steps(consts)
    base = values(theory.theorem2(problem, steps, consts))
    powers = {"steps": (-0.25, -0.5, -0.25, -0.25, -0.75), "dim": (0.5,) * 5, "gap": (1, 0, 0, 0, 0)}
    powers |= {"smoothness": (0, 0, 1, 0, 1), "noise": (0, 1, 0, 1, 0)}
    for name, exponents in powers.items():
        larger = problem if name == "steps" else dataclasses.replace(problem, **{name: getattr(problem, name) * 16})
        bound = theory.theorem2(larger, steps * 16 if name == "steps" else steps, consts)
        assert values(bound) == pytest.approx([b * 16**e for b, e in zip(base, exponents, strict=True)], rel=1e-9)


@given(problem=problems, steps=counts, at=settings)
def test_without_noise_only_gap_drift_and_curvature_are_left(problem, steps, at):
    bound = theory.theorem2_at(dataclasses.replace(problem, noise=0.0), steps, at)
    assert bound["start"] == bound["noise"] == 0
    assert bound["gap"] > 0 < bound["drift"]


def test_a_momentum_from_zero_starts_further_off():
    problem, at = Problem(100, 1.0, 0.5, 1.0), Settings(lr=0.01, betas=(0.75, 0.5))
    error = 0.75 * 3.0 + 0.25 * 0.5  # beta1 |grad f| + (1 - beta1) sigma
    bound = theory.lemma6(problem, 50, at, start_error=error)
    assert bound["start"] == pytest.approx(error / (50 * 0.5))
    assert Assumption.FIRST_GRADIENT not in bound.needs
    assert Assumption.FIRST_GRADIENT in theory.lemma6(problem, 50, at).needs


@given(lr=positive, share=st.floats(1e-6, 1), start=positive, steps=st.integers(1, 1000))
def test_how_far_a_weight_can_get(lr, share, start, steps):
    """Against the recursion itself, of a weight that every step pushes outwards."""
    decay = share / lr
    box = theory.theorem2_i(lr, decay)
    largest, highest = start, start
    for _ in range(steps):
        largest = (1 - lr * decay) * largest + lr
        highest = max(highest, largest)
    assert box.largest(start, steps) == pytest.approx(largest, rel=1e-9)
    assert theory.reach(start, steps, Settings(lr, (0.5, 0.5), decay)) == pytest.approx(highest, rel=1e-9)
    assert theory.reach(start, steps, Settings(lr, (0.5, 0.5))) == pytest.approx(start + steps * lr, rel=1e-9)


def test_the_table_adds_up_and_says_what_it_needs():
    bound = theory.theorem2(Problem(100, 1.0, 0.5, 1.0), 10**4, Constants(1.0, 2.0, 0.5))
    lines = str(bound).splitlines()
    assert lines[0].startswith("Theorem 2 (ii): mean over k of E[")
    assert lines[0].endswith("at most 5.888")
    assert [line.split()[0] for line in lines[1:7]] == ["gap", "start", "drift", "noise", "curvature", "total"]
    assert sum(float(line.split()[-2]) for line in lines[1:6]) == pytest.approx(5.888, abs=1e-3)
    assert [line for line in lines[7:] if "Assumption" in line] == [f"  needs  {need}" for need in bound.needs[:3]]
    assert len(lines) == 7 + len(bound.needs)
