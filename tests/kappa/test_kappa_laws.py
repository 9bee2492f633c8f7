"""Laws that every kappa keeps, at random points of random scale (Rockafellar, Convex Analysis, sections 12 and 23)."""

import inspect
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kappa_points import BOXES, KAPPAS, NEWTON_SCHULZ, NORMS, feasible, inner, points, shapes_of

import lionkit

every_kappa = pytest.mark.parametrize("kappa", KAPPAS, ids=repr)
every_norm = pytest.mark.parametrize("kappa", NORMS, ids=repr)
laws = settings(deadline=None, max_examples=60)
fractions = st.floats(0, 1)


@every_kappa
@given(data=st.data(), reach=fractions)
@laws
def test_fenchel_young_inequality(kappa, data, reach):
    x, y = data.draw(points(kappa))
    for inside in (y, feasible(kappa, y, reach)):
        slack = kappa.value(x) + kappa.conjugate(inside) - inner(x, inside)
        assert slack >= -1e-12 * (kappa.value(x) + inner(x, inside).abs())


@every_kappa
@given(data=st.data())
@laws
def test_fenchel_young_holds_with_equality_at_the_gradient(kappa, data):
    x, _ = data.draw(points(kappa))
    gradient = kappa.gradient(x)
    total = kappa.value(x) + kappa.conjugate(gradient)
    assert torch.isclose(total, inner(x, gradient), rtol=1e-12, atol=0)


@every_kappa
@given(data=st.data())
@laws
def test_the_gradient_map_is_monotone(kappa, data):
    a, b = data.draw(points(kappa))
    slope = inner(kappa.gradient(a) - kappa.gradient(b), a - b)
    assert slope >= -1e-12 * (kappa.value(a) + kappa.value(b))


@every_kappa
@given(data=st.data(), part=fractions)
@laws
def test_the_value_is_convex(kappa, data, part):
    a, b = data.draw(points(kappa))
    chord = part * kappa.value(a) + (1 - part) * kappa.value(b)
    assert kappa.value(part * a + (1 - part) * b) <= chord + 1e-12 * (kappa.value(a) + kappa.value(b))


@every_kappa
@given(data=st.data())
@laws
def test_the_gradient_map_is_the_derivative_of_the_value(kappa, data):
    x = data.draw(points(kappa))[0].requires_grad_()
    (derivative,) = torch.autograd.grad(kappa.value(x), x)
    gradient = kappa.gradient(x.detach())
    if isinstance(kappa, lionkit.kappa.Spectral):  # torch differentiates through vectors that turn where values meet
        sizes = torch.linalg.svdvals(x.detach())
        if sizes[-1] < 1e-3 * sizes[0] or sizes.diff().abs().min() < 1e-3 * sizes[0]:
            return
    assert torch.allclose(derivative, gradient, rtol=1e-9, atol=1e-14)


@every_kappa
@given(data=st.data())
@laws
def test_the_direction_stays_in_the_domain_of_the_conjugate(kappa, data):
    x, _ = data.draw(points(kappa))
    gradient = kappa.gradient(x)
    assert kappa.gauge(gradient) <= 1 + 1e-13
    assert math.isfinite(kappa.conjugate(gradient))


@every_kappa
@given(data=st.data())
@laws
def test_the_gauge_is_where_the_conjugate_ends(kappa, data):
    _, y = data.draw(points(kappa))
    size = kappa.gauge(y)
    if size > 0:
        assert math.isfinite(kappa.conjugate(y / size * (1 - 1e-9)))
        assert kappa.conjugate(y / size * (1 + 1e-9)) == math.inf
        assert torch.isclose(kappa.gauge(3 * y), 3 * size, rtol=1e-12)
    else:
        assert math.isfinite(kappa.conjugate(y))


@every_kappa
@given(data=st.data())
@laws
def test_the_map_is_odd_and_keeps_zero(kappa, data):
    x, _ = data.draw(points(kappa))
    assert torch.allclose(kappa.gradient(-x), -kappa.gradient(x), rtol=1e-12, atol=1e-14)
    assert kappa.value(x * 0) == kappa.conjugate(x * 0) == kappa.gauge(x * 0) == 0
    assert not kappa.gradient(x * 0).any()


@every_norm
@given(data=st.data())
@laws
def test_a_norm_is_homogeneous_and_its_direction_of_dual_norm_1(kappa, data):
    x, y = data.draw(points(kappa))
    assert torch.isclose(kappa.value(3 * x), 3 * kappa.value(x), rtol=1e-12)
    assert torch.allclose(kappa.gradient(3 * x), kappa.gradient(x), rtol=1e-9, atol=1e-12)
    assert inner(x, y) <= kappa.value(x) * kappa.gauge(y) * (1 + 1e-12)
    if x.any():
        assert torch.isclose(kappa.gauge(kappa.gradient(x)), torch.tensor(1.0).double(), rtol=1e-12)


@pytest.mark.parametrize("kappa", BOXES[1:-1], ids=repr)
@given(data=st.data())
@laws
def test_the_width_of_a_smoothed_sign_has_the_unit_of_the_gradient(kappa, data):
    x, _ = data.draw(points(kappa))
    wider = type(kappa)(3 * kappa.e)
    assert torch.isclose(wider.value(3 * x), 3 * kappa.value(x), rtol=1e-12)
    assert torch.allclose(wider.gradient(3 * x), kappa.gradient(x), rtol=1e-12)


@pytest.mark.parametrize("kappa", [*KAPPAS, NEWTON_SCHULZ], ids=repr)
def test_foreach_gradient_is_the_gradient_of_each(kappa):
    xs = [torch.randn(shape) for shape in shapes_of(kappa)]
    for mapped, x in zip(kappa.foreach_gradient(xs), xs, strict=True):
        assert torch.equal(mapped, kappa.gradient(x))


@pytest.mark.parametrize("kappa", [*KAPPAS, NEWTON_SCHULZ], ids=repr)
def test_kappas_are_values_that_their_repr_makes_again(kappa):
    again = eval(repr(kappa), vars(lionkit.kappa))
    assert again == kappa
    assert hash(again) == hash(kappa)
    assert sum(other == kappa for other in KAPPAS) == (kappa is not NEWTON_SCHULZ)


def test_numbers_of_other_types_make_the_same_kappa():
    assert repr(lionkit.kappa.Huber(1)) == repr(lionkit.kappa.Huber(1.0)) == "Huber(e=1.0)"
    assert repr(lionkit.kappa.Lp(2)) == "Lp(p=2.0)"


@every_kappa
def test_every_kappa_says_what_it_solves(kappa):
    problem = kappa.problem
    assert problem.words.startswith("minimise f")
    assert r" f(" in problem.latex
    assert r"\lambda" in problem.latex
    far = torch.full(shapes_of(kappa)[-1], 1e6)
    assert (problem.constraint is None) == (kappa.gauge(far) == 0) == math.isfinite(kappa.conjugate(far))
    assert (problem.constraint or "") in problem.latex


def test_the_page_of_the_docs_names_every_kappa():
    page = (Path(__file__).parents[2] / "docs" / "kappas.md").read_text()
    for name in lionkit.kappa.__all__:
        member = getattr(lionkit.kappa, name)
        assert not issubclass(member, lionkit.kappa.Kappa) or f"| `{name}" in page or inspect.isabstract(member), name


def test_a_kappa_must_be_complete():
    class Half(lionkit.kappa.Kappa):
        def value(self, x):
            return x.sum()

    with pytest.raises(TypeError, match="abstract"):
        Half()
