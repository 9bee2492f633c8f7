"""Plans and transfers: the paper's settings, what is promised, and what is said when it is not."""

import dataclasses
import json
import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from paper import Paper

import lionkit
from lionkit import theory
from lionkit.theory import Problem, Scale, Settings, Tuned

PROBLEM = Problem(dim=400, smoothness=2.0, noise=3.0, gap=5.0)
LONG = 10**9

positive = st.floats(-2, 2).map(lambda exponent: 10.0**exponent)
problems = st.builds(Problem, dim=st.integers(1, 10**6), smoothness=positive, noise=positive, gap=positive)
scales = st.builds(Scale, steps=st.integers(1, 10**6), dim=st.integers(1, 10**8), batch=positive)


@given(problem=problems, extra=st.integers(0, 10**6))
def test_a_long_plan_is_corollary3(problem, extra):
    steps = math.ceil(theory.corollary3_steps(problem)) + extra
    found = theory.plan(problem, steps)
    paper = Paper(problem.dim, problem.smoothness, problem.noise, problem.gap, steps)
    beta1, beta2, eta = paper.settings(*paper.corollary3_constants())
    assert found.settings.betas == pytest.approx((float(beta1), float(beta2)), abs=1e-12)
    assert found.settings.lr == pytest.approx(float(eta), rel=1e-11)
    assert found.bound.total == pytest.approx(float(sum(paper.theorem2(*paper.corollary3_constants()))), rel=1e-11)
    assert found.corollary == pytest.approx(float(paper.corollary3()), rel=1e-11)
    assert found.bound.total <= found.corollary * (1 + 1e-12)
    assert found.options == {**vars(found.settings), "momentum_init": "gradient"}
    assert not any("Too few steps" in warning for warning in found.warnings)


@given(problem=problems, steps=st.integers(1, 10**4))
def test_a_short_plan_is_still_one_that_theorem2_holds_for(problem, steps):
    assume(steps < theory.corollary3_steps(problem))
    found = theory.plan(problem, steps)
    assert found.corollary is None
    assert found.warnings[0].startswith("Too few steps: Corollary 3 needs ")
    at = theory.theorem2_at(problem, steps, found.settings)
    assert at.total <= found.bound.total * (1 + 1e-9)
    assert found.bound["gap"] == pytest.approx(at["gap"], rel=1e-9)
    if steps < problem.smoothness * problem.gap / problem.noise**2:
        assert found.settings.betas == (0.0, 0.0)
        assert "held at 0" in found.warnings[0]
    else:
        assert "has not faded" in found.warnings[0]


def test_the_two_reasons_for_too_few_steps():
    quiet, loud = dataclasses.replace(PROBLEM, noise=0.1), dataclasses.replace(PROBLEM, noise=30.0)
    assert (
        theory.plan(quiet, 999)
        .warnings[0]
        .endswith("Below L gap / sigma^2 = 1000 steps the betas would be negative and are held at 0.")
    )
    share = 2 * 30 * 20 / (math.sqrt(10) / 30 * math.sqrt(1000))  # 2 sigma sqrt(d) / (c2 sqrt(K))
    assert f"its term alone is {share:.3g}" in theory.plan(loud, 1000).warnings[0]
    assert theory.plan(quiet, 1000).corollary is not None


def test_a_bound_that_says_nothing_says_so():
    """|grad f|_1 <= sqrt(d) |grad f|_2 <= sqrt(2 d L gap) at the start already."""
    already = math.sqrt(2 * 400 * 2 * 5)
    short, long = theory.plan(PROBLEM, 1000), theory.plan(PROBLEM, LONG)
    assert short.bound.total > already > long.bound.total
    assert [w for w in short.warnings if "says nothing new" in w and f"{already:.4g}" in w]
    assert not long.warnings
    times = (short.bound.total / already) ** 4
    assert theory.plan(PROBLEM, math.ceil(1000 * times)).bound.total == pytest.approx(already, rel=0.02)


def test_decay_and_the_stationary_point():
    reached = theory.plan(PROBLEM, LONG, weight_decay=0.01, radius=40.0)
    assert reached.reaches_stationary_point
    assert not reached.warnings
    boxed = theory.plan(PROBLEM, LONG, weight_decay=0.02, radius=40.0)
    assert not boxed.reaches_stationary_point
    assert boxed.warnings == (
        "weight_decay 0.02 is above 1 / (2 C) = 0.0125 with C = 40: the run comes to a KKT point of the box of 50, "
        "which need not be a stationary point of the loss.",
    )
    assert boxed.bound.total == reached.bound.total  # the decay says which box; it is not in the bound
    own = theory.plan(PROBLEM, LONG, weight_decay=0.1, start=1.5)
    far = theory.reach(1.5, LONG, own.settings)
    assert f"with C = {far:.4g}" in own.warnings[0]


def test_a_start_outside_of_the_box():
    found = theory.plan(PROBLEM, LONG, weight_decay=0.5, start=3.0)
    (warning,) = [w for w in found.warnings if "outside" in w]
    assert "a weight of 3 against 1 / weight_decay = 2" in warning
    left = (1 - found.settings.lr * 0.5) ** LONG
    assert f"{left:.2g} of the distance is left" in warning
    assert not [w for w in theory.plan(PROBLEM, LONG, weight_decay=0.5, start=2.0).warnings if "outside" in w]


def test_a_plan_prints_and_travels():
    found = theory.plan(PROBLEM, 1000, weight_decay=0.1)
    text = str(found)
    assert text.startswith(f"lr {found.settings.lr:.4g}, betas (")
    assert f"Corollary 3: {found.corollary:.4g}" in text
    assert text.count("warning: ") == len(found.warnings) > 0
    again = json.loads(json.dumps(dataclasses.asdict(found)))
    assert again["bound"]["terms"][0]["value"] == found.bound["gap"]
    optimizer = lionkit.Lion([torch.nn.Parameter(torch.zeros(2))], **found.options)
    assert optimizer.defaults["betas"] == found.settings.betas


@given(problem=problems, old=scales, new=scales)
def test_transfer_follows_corollary3(problem, old, new):
    """From the corollary's settings at one scale to the corollary's settings at another."""

    def settings(scale):
        there = dataclasses.replace(problem, dim=scale.dim).averaged(scale.batch)
        constants = theory.corollary3_constants(there)
        assume(scale.steps >= constants.c1**2)
        return constants.settings(scale.dim, scale.steps)

    expected = settings(new)
    found = theory.transfer(Tuned(settings(old), old), to=new)
    assert found.scale == new
    assert found.settings.lr == pytest.approx(expected.lr, rel=1e-9)
    assert found.settings.betas == pytest.approx(expected.betas, abs=1e-9)


@given(old=scales, new=scales, beta=st.floats(0.5, 0.999), decay=st.floats(0, 1))
def test_transfer_there_and_back(old, new, beta, decay):
    best = Tuned(Settings(1e-8, (beta, 0.5 + beta / 2), decay), old)
    assume((1 - beta) * math.sqrt(old.steps * new.batch / (new.steps * old.batch)) <= 1)
    assume(theory_lr_is_small(best, new))
    back = theory.transfer(theory.transfer(best, to=new), to=old)
    assert back.settings.lr == pytest.approx(1e-8, rel=1e-9)
    assert back.settings.betas == pytest.approx(best.settings.betas, abs=1e-6)
    assert back.settings.weight_decay == decay


def theory_lr_is_small(best, new):
    old = best.scale
    grown = (old.steps / new.steps) ** 0.75 * (old.dim / new.dim) ** 0.5 * (new.batch / old.batch) ** 0.25
    return grown * best.settings.lr < 1


def test_transfer_one_thing_at_a_time():
    best = Tuned(Settings(0.01, (0.9, 0.98), 0.3), Scale(1000, 10**4, 32))
    longer = theory.transfer(best, to=Scale(16_000, 10**4, 32)).settings
    assert (longer.lr, *longer.betas) == pytest.approx((0.01 / 8, 0.975, 0.995))
    wider = theory.transfer(best, to=Scale(1000, 16 * 10**4, 32)).settings
    assert (wider.lr, *wider.betas) == pytest.approx((0.01 / 4, 0.9, 0.98))
    larger = theory.transfer(best, to=Scale(1000, 10**4, 512)).settings
    assert (larger.lr, *larger.betas) == pytest.approx((0.01 * 2, 0.6, 0.92))
    assert longer.weight_decay == wider.weight_decay == larger.weight_decay == 0.3
    with pytest.raises(ValueError, match=r"Invalid 1 - beta at the new scale: 1\.6, Theorem 2 needs it at most 1"):
        theory.transfer(best, to=Scale(1000, 10**4, 32 * 256))
