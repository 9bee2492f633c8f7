"""Where one kappa becomes another, and where a map is no kappa's."""

import math

import pytest
import torch
from kappa_points import inner

from lionkit.kappa import (
    L1,
    Arctan,
    Cautious,
    Entropy,
    GroupL2,
    Huber,
    LInf,
    Lp,
    Relativistic,
    Spectral,
    TopK,
    TruncatedL1,
)

WIDTHS = [1e-1, 1e-3, 1e-6]


@pytest.fixture
def x():
    """Coordinates from 0.1 on in size, so that a width of 1e-3 is small."""
    x = torch.randn(4, 6, dtype=torch.float64)
    return x + 0.1 * x.sign()


@pytest.mark.parametrize("e", WIDTHS)
@pytest.mark.parametrize(
    ("family", "distance"),
    [(Huber, 1 / 2), (TruncatedL1, 1), (Relativistic, 1), (Entropy, math.log(2)), (Cautious, 1)],
    ids=lambda part: getattr(part, "__name__", None),
)
def test_a_width_of_zero_is_l1(x, family, distance, e):
    """How far the value is from the l1 norm: at most this times e a coordinate, attained far out."""
    apart = L1().value(x) - family(e).value(x)
    assert 0 <= apart <= distance * e * x.numel() * (1 + 1e-9)
    if e == WIDTHS[-1]:
        assert torch.allclose(family(e).gradient(x), x.sign(), atol=1e-9)


@pytest.mark.parametrize("e", WIDTHS)
def test_a_width_of_zero_is_l1_for_the_arctangent(x, e):
    """Its value is apart by e ln(1/e) rather than by e: 1 - map(x) is about 2e / (pi x)."""
    size = x.abs()
    bound = 2 * e / math.pi * (1 + torch.hypot(size / e, torch.ones(())).log())
    assert 0 <= L1().value(x) - Arctan(e).value(x) <= bound.sum() + 1e-13
    assert torch.all((Arctan(e).gradient(x) - x.sign()).abs() <= 2 / math.pi * e / size + 1e-15)


def test_lp_runs_from_l1_to_linf(x):
    assert torch.equal(Lp(1).gradient(x), L1().gradient(x))
    assert torch.allclose(Lp(1 + 1e-9).gradient(x), L1().gradient(x), atol=1e-7)
    assert torch.isclose(Lp(1 + 1e-9).value(x), L1().value(x), rtol=1e-7)
    assert torch.allclose(Lp(1e5).gradient(x), LInf().gradient(x), atol=1e-4)
    assert torch.isclose(Lp(1e5).value(x), LInf().value(x), rtol=1e-4)
    ties = torch.tensor([2.0, -2.0, 1.0, 2.0], dtype=torch.float64)
    assert LInf().gradient(ties).tolist() == pytest.approx([1 / 3, -1 / 3, 0, 1 / 3])
    assert torch.allclose(Lp(1e4).gradient(ties), LInf().gradient(ties), atol=1e-4)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TopK(24), L1()),
        (TopK(1), LInf()),
        (TruncatedL1(0), L1()),
        (Cautious(1), Huber(1)),
        (GroupL2("tensor"), Lp(2)),
    ],
    ids=repr,
)
def test_two_names_of_one_function(x, one, other):
    for method in ("value", "gradient", "gauge"):
        assert torch.allclose(getattr(one, method)(x), getattr(other, method)(x), rtol=1e-12), method
    y = x / one.gauge(x) / 2
    assert torch.isclose(one.conjugate(y), other.conjugate(y), rtol=1e-12)


def test_matrices_of_one_row_column_or_diagonal(x):
    exact, column = Spectral(steps=None), x[:, :1]
    assert torch.allclose(exact.gradient(column), GroupL2("tensor").gradient(column))
    assert torch.allclose(GroupL2("rows").gradient(column), L1().gradient(column))
    assert torch.equal(GroupL2("rows").gradient(x), GroupL2("columns").gradient(x.T).T)
    diagonal = x[0].diag()
    assert torch.allclose(exact.gradient(diagonal), diagonal.sign(), atol=1e-12)
    assert torch.isclose(exact.value(diagonal), L1().value(diagonal))


def test_groups_of_a_convolution_are_its_outputs_or_its_inputs():
    kernel = torch.randn(4, 3, 2, 2)
    rows, columns = GroupL2("rows").gradient(kernel), GroupL2("columns").gradient(kernel)
    assert torch.allclose(rows.flatten(1).norm(dim=1), torch.ones(4))
    assert torch.allclose(columns.transpose(0, 1).flatten(1).norm(dim=1), torch.ones(3))


def gate_of_the_whole_tensor(c, nu):
    """CLion's Algorithm 2: the sign where no coordinate but 0 is smaller than nu, or else the identity."""
    return c.sign() if c[c != 0].abs().min() >= nu else c


@pytest.mark.parametrize("nu", [1e-3, 0.4, 1.0, 2.0])
def test_clions_gate_of_the_whole_tensor_is_not_monotone(nu):
    """From a to b the second coordinate falls, by 1, and its map rises, by 2: no convex function has it."""
    a, b = torch.tensor([nu, 4.0]), torch.tensor([0.99 * nu, 3.0])
    slope = inner(gate_of_the_whole_tensor(a, nu) - gate_of_the_whole_tensor(b, nu), a - b)
    assert slope < -1.9
    if nu <= 1:
        assert inner(Cautious(nu).gradient(a) - Cautious(nu).gradient(b), a - b) >= 0
