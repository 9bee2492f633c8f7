"""Laws that every kappa keeps, at random points of random scale: those of the public check, and what it cannot ask."""

import inspect
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kappa_points import BOXES, KAPPAS, NEWTON_SCHULZ, NORMS, inner, points, shapes_of

import lionkit
from lionkit.testing._kappa_laws import AT_A_POINT, is_a_value, same_list_by_list

every_kappa = pytest.mark.parametrize("kappa", KAPPAS, ids=repr)
every_norm = pytest.mark.parametrize("kappa", NORMS, ids=repr)
laws = settings(deadline=None, max_examples=60)


@every_kappa
@pytest.mark.parametrize("law", AT_A_POINT, ids=lambda law: law.__name__)
@given(data=st.data(), part=st.floats(0, 1))
@laws
def test_every_law_of_the_public_check(kappa, law, data, part):
    law(kappa, *data.draw(points(kappa)), part)


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
    """In every dtype, of Newton-Schulz steps too, which keep no other law."""
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        same_list_by_list(kappa, [torch.randn(shape).to(dtype) for shape in shapes_of(kappa)])


@pytest.mark.parametrize("kappa", [*KAPPAS, NEWTON_SCHULZ], ids=repr)
def test_kappas_are_values_that_their_repr_makes_again(kappa):
    is_a_value(kappa)
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
