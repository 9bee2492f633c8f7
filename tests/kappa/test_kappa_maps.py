"""The maps at single points: what is broken, tied, tiny or huge, in every dtype; and what is refused."""

import math

import pytest
import torch
from kappa_points import BOXES, KAPPAS, NEWTON_SCHULZ, NORMS, shapes_of
from torch.optim._muon import DEFAULT_A, DEFAULT_B, DEFAULT_C, EPS, _adjust_lr, _zeropower_via_newtonschulz

from lionkit.kappa import (
    L1,
    Arctan,
    Cautious,
    Entropy,
    GroupL2,
    HalfSquaredL2,
    Huber,
    LInf,
    Lp,
    Relativistic,
    Spectral,
    TopK,
    TruncatedL1,
)

BROKEN = [math.inf, -math.inf, math.nan]
every_map = pytest.mark.parametrize("kappa", [*KAPPAS, NEWTON_SCHULZ], ids=repr)


def test_sign_of_zero_is_zero_and_of_no_number_is_nan():
    gradient = L1().gradient(torch.tensor([0.0, -0.0, 1e-45, -1e38, *BROKEN]))
    assert gradient[:4].tolist() == [0, 0, 1, -1]
    assert gradient[4:].isnan().all()


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("kappa", BOXES, ids=repr)
def test_a_broken_coordinate_is_nan_and_its_neighbours_are_not(kappa, broken):
    x = torch.tensor([3.0, broken, -0.1])
    assert kappa.gradient(x).isnan().tolist() == [False, True, False]
    (mapped,) = kappa.foreach_gradient([x])
    assert torch.equal(mapped.isnan(), x.isfinite().logical_not())


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("kappa", [*NORMS, NEWTON_SCHULZ], ids=repr)
def test_a_broken_coordinate_breaks_what_is_measured_with_it(kappa, broken):
    x = torch.randn(3, 5)
    x[1, 2] = broken
    expected = torch.zeros(3, 5, dtype=torch.bool)
    whole = slice(None)
    groups = kappa.groups if isinstance(kappa, GroupL2) else "tensor"
    expected[{"rows": (1, whole), "columns": (whole, 2), "tensor": whole}[groups]] = True
    assert torch.equal(kappa.gradient(x).isnan(), expected)


def test_the_identity_hands_on_what_is_broken():
    assert not HalfSquaredL2().gradient(torch.tensor(BROKEN)).isfinite().any()


@every_map
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_the_map_keeps_shape_and_dtype(kappa, dtype):
    for shape in shapes_of(kappa):
        x = torch.randn(shape, dtype=torch.float64)
        gradient = kappa.gradient(x.to(dtype))
        assert (gradient.shape, gradient.dtype) == (x.shape, dtype)
        if kappa is not NEWTON_SCHULZ:
            exact = kappa.gradient(x.to(dtype).double())
            assert torch.allclose(gradient.double(), exact, rtol=0, atol=8 * torch.finfo(dtype).eps * exact.abs().max())


@pytest.mark.parametrize("kappa", [*BOXES, *NORMS], ids=repr)
@pytest.mark.parametrize("size", [1e-40, 1e-30, 1e30, 3e38])
def test_squares_neither_overflow_nor_underflow(kappa, size):
    x = size * torch.tensor([[1.0, -0.5, 0.25], [0.0, 0.5, -1.0]])
    expected = kappa.gradient(x.double())
    assert torch.allclose(kappa.gradient(x).double(), expected, rtol=1e-4, atol=1e-44)
    assert kappa.value(x / 100).isfinite()


@pytest.mark.parametrize(
    ("kappa", "x", "expected"),
    [
        (TruncatedL1(2.0), [2.0, -2.0, 2.1], [0, 0, 1]),
        (Cautious(0.5), [0.5, -0.5, 0.49], [1, -1, 0.49]),
        (LInf(), [1.0, -1.0, 0.0, 0.5], [0.5, -0.5, 0, 0]),
        (TopK(2), [3.0, 1.0, -1.0, 0.5], [1, 0.5, -0.5, 0]),
        (TopK(3), [3.0, 0.0, 0.0, 0.0], [1, 0, 0, 0]),
        (Lp(3), [0.0, 0.0], [0, 0]),
    ],
    ids=repr,
)
def test_the_choice_where_the_subgradient_is_a_set(kappa, x, expected):
    assert kappa.gradient(torch.tensor(x)).tolist() == pytest.approx(expected)


def test_a_matrix_of_lower_rank_does_not_move_where_it_has_none():
    x = torch.outer(torch.tensor([3.0, 4.0]), torch.tensor([1.0, 0.0, 0.0]))
    expected = torch.tensor([[0.6, 0, 0], [0.8, 0, 0]])
    assert torch.allclose(Spectral(steps=None).gradient(x), expected, atol=1e-6)


@pytest.mark.parametrize("adjust", [None, "original", "match_rms_adamw"])
@pytest.mark.parametrize("shape", [(3, 8), (8, 3), (5, 5)])
@pytest.mark.parametrize("size", [1.0, 1e-9])
def test_newton_schulz_is_torchs_muon(shape, size, adjust):
    x = size * torch.randn(shape)
    theirs = _zeropower_via_newtonschulz(x, (DEFAULT_A, DEFAULT_B, DEFAULT_C), 4, EPS)
    factor = _adjust_lr(1.0, adjust or "none of them", x.shape)
    assert torch.equal(Spectral(steps=4, adjust=adjust).gradient(x), factor * theirs.float())


@pytest.mark.parametrize("shape", [(16, 64), (48, 32)])
def test_newton_schulz_brings_singular_values_near_1(shape):
    """Those from 0.01 of the Frobenius norm on, with three rounding errors of bfloat16."""
    u, _, vh = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    sizes = torch.linspace(0.05, 1, min(shape))
    mapped = torch.linalg.svdvals(Spectral().gradient(u * sizes @ vh))
    assert 0.68 - 0.012 <= mapped.min() <= mapped.max() <= 1.134 + 0.012


@pytest.mark.parametrize("kappa", [HalfSquaredL2(), *BOXES, Lp(1.3), Lp(5), LInf(), GroupL2("tensor")], ids=repr)
def test_a_parameter_without_weights_is_nothing_special(kappa):
    empty = torch.zeros(0)
    assert kappa.gradient(empty).shape == (0,)
    assert kappa.value(empty) == kappa.gauge(empty) == kappa.conjugate(empty) == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Lp(0.9), "Invalid p: 0.9, it must be at least 1 and finite; the limit at infinity is LInf()"),
        (lambda: Lp(math.inf), "Invalid p: inf"),
        (lambda: Lp(math.nan), "Invalid p: nan"),
        (lambda: TopK(0), "Invalid k: 0, it must be a whole number and at least 1"),
        (lambda: TopK(1.5), "Invalid k: 1.5"),
        (lambda: GroupL2("row"), "Invalid groups: 'row', it must be 'rows', 'columns' or 'tensor'"),
        (lambda: Huber(0), "Invalid e: 0, it must be finite and above 0; the limit at 0 is L1()"),
        (lambda: Relativistic(-1.0), "Invalid e: -1.0"),
        (lambda: Entropy(math.inf), "Invalid e: inf"),
        (lambda: Arctan(math.nan), "Invalid e: nan"),
        (lambda: TruncatedL1(-0.1), "Invalid e: -0.1, it must be finite and at least 0"),
        (lambda: Cautious(1.01), "Invalid nu: 1.01, it must be above 0 and at most 1"),
        (lambda: Cautious(0), "Invalid nu: 0"),
        (lambda: Spectral(steps=0), "Invalid steps: 0, it must be a whole number and at least 1, or None"),
        (lambda: Spectral(adjust="rms"), "Invalid adjust: 'rms', it must be None, 'original' or 'match_rms_adamw'"),
    ],
)
def test_parameters_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=r"^Invalid") as error:
        make()
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("kappa", "shape", "message"),
    [
        (
            Spectral(),
            (5,),
            "Spectral cannot take a parameter of shape (5,): it must have 2 dims and be real; use GroupL2",
        ),
        (
            Spectral(),
            (),
            "Spectral cannot take a parameter of shape (): it must have 2 dims and be real; use L1() for it",
        ),
        (Spectral(steps=None), (2, 3, 2), "Spectral cannot take a parameter of shape (2, 3, 2)"),
        (
            GroupL2("rows"),
            (5,),
            "GroupL2('rows') cannot take a parameter of shape (5,): it must have at least 2 dims; use",
        ),
        (GroupL2("columns"), (), "GroupL2('columns') cannot take a parameter of shape ()"),
        (
            GroupL2(),
            (),
            "GroupL2('tensor') cannot take a parameter of shape (): it must have at least 1 dims; use L1() f",
        ),
        (
            TopK(7),
            (2, 3),
            "TopK cannot take a parameter of shape (2, 3): k is 7, it must be at most its number of weigh",
        ),
    ],
    ids=repr,
)
def test_shapes_that_a_kappa_cannot_take_are_refused(kappa, shape, message):
    for refuse in (kappa.check_shape, lambda shape: kappa.gradient(torch.zeros(shape))):
        with pytest.raises(ValueError, match="cannot take a parameter") as error:
            refuse(shape)
        assert str(error.value).startswith(message)
