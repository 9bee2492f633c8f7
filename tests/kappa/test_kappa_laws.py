"""Laws that every kappa keeps, at random points of random scale (Rockafellar, Convex Analysis, sections 12 and 23)."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import lionkit
from lionkit.kappa import L1, HalfSquaredL2

KAPPAS = [L1(), HalfSquaredL2()]

shapes = st.sampled_from([(1,), (7,), (3, 5), (2, 1, 4), ()])
scales = st.floats(-6, 6).map(lambda exponent: 10.0**exponent)


@st.composite
def points(draw):
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    shape = draw(shapes)
    tensors = [torch.randn(shape, generator=generator, dtype=torch.float64) * draw(scales) for _ in range(2)]
    zeros = torch.rand(shape, generator=generator) < 0.2
    return [tensor.masked_fill(zeros, 0.0) for tensor in tensors]


def inner(x, y):
    return (x * y).sum()


@pytest.mark.parametrize("kappa", KAPPAS, ids=repr)
@given(pair=points())
@settings(deadline=None)
def test_fenchel_young_inequality(kappa, pair):
    x, y = pair
    slack = kappa.value(x) + kappa.conjugate(y) - inner(x, y)
    assert slack >= -1e-12 * (1 + kappa.value(x) + inner(x, y).abs())


@pytest.mark.parametrize("kappa", KAPPAS, ids=repr)
@given(pair=points())
@settings(deadline=None)
def test_fenchel_young_holds_with_equality_at_the_gradient(kappa, pair):
    x, _ = pair
    gradient = kappa.gradient(x)
    total = kappa.value(x) + kappa.conjugate(gradient)
    assert torch.isclose(total, inner(x, gradient), rtol=1e-12, atol=0)


@pytest.mark.parametrize("kappa", KAPPAS, ids=repr)
@given(pair=points())
@settings(deadline=None)
def test_the_gradient_map_is_monotone(kappa, pair):
    a, b = pair
    assert inner(kappa.gradient(a) - kappa.gradient(b), a - b) >= 0


@pytest.mark.parametrize("kappa", KAPPAS, ids=repr)
@given(pair=points())
@settings(deadline=None)
def test_the_gradient_map_is_the_derivative_of_the_value(kappa, pair):
    x = pair[0].clone().requires_grad_()
    (derivative,) = torch.autograd.grad(kappa.value(x), x)
    assert torch.equal(derivative, kappa.gradient(x.detach()))


@pytest.mark.parametrize("kappa", KAPPAS, ids=repr)
def test_foreach_gradient_is_the_gradient_of_each(kappa):
    xs = [torch.randn(shape) for shape in [(3,), (2, 4), (), (0,)]]
    for mapped, x in zip(kappa.foreach_gradient(xs), xs, strict=True):
        assert torch.equal(mapped, kappa.gradient(x))


def test_sign_of_zero_is_zero_and_of_no_number_is_nan():
    gradient = L1().gradient(torch.tensor([0.0, -0.0, 1e-45, -1e38, math.inf, -math.inf, math.nan]))
    assert gradient[:4].tolist() == [0, 0, 1, -1]
    assert gradient[4:].isnan().all()


def test_conjugate_of_l1_is_the_indicator_of_the_unit_box():
    assert L1().conjugate(torch.tensor([1.0, -1.0])) == 0
    assert L1().conjugate(torch.tensor([1.0, -1.0 - 1e-6])) == math.inf
    assert L1().conjugate(torch.tensor([])) == 0


def test_kappas_are_values():
    assert L1() == L1()
    assert L1() != HalfSquaredL2()
    assert repr(L1()) == "L1()"


@pytest.mark.parametrize("kappa", KAPPAS, ids=repr)
def test_every_kappa_says_what_it_solves(kappa):
    problem = kappa.problem
    assert "minimise f" in problem.words
    assert r"\min_x f(x)" in problem.latex
    finite_everywhere = math.isfinite(kappa.conjugate(torch.tensor([1e6])))
    assert (problem.constraint is None) == finite_everywhere


def test_a_kappa_must_be_complete():
    class Half(lionkit.kappa.Kappa):
        def value(self, x):
            return x.sum()

    with pytest.raises(TypeError, match="abstract"):
        Half()
