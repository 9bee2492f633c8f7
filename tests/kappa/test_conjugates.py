"""Every conjugate and every gauge beside its definition, a supremum, taken by brute force."""

import itertools
import math

import pytest
import torch
from kappa_points import BOXES, NORMS

from lionkit.kappa import L1, HalfSquaredL2, LInf, Lp, TopK


def float64(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def reals():
    """0, the kinks of the kappas, and 1e-9 to 1e4 on either side, each 0.01% beyond the last.

    A smooth supremum is missed by the square of that.
    """
    half = torch.logspace(-9, 4, 300_000, dtype=torch.float64)
    kinks = float64(0.0, 0.6, 0.7)
    return torch.cat([-half, -kinks, kinks, half])


def values(kappa, xs):
    return torch.func.vmap(kappa.value)(xs)


@pytest.mark.parametrize("kappa", [HalfSquaredL2(), *BOXES], ids=repr)
def test_the_conjugate_of_one_coordinate_is_the_supremum(kappa):
    xs = reals()
    heights = values(kappa, xs[:, None])
    for y in [-1.0, -0.99, -0.7, -0.6, -0.1, 0.0, 1e-3, 0.3, 0.61, 0.95, 1.0]:
        supremum, conjugate = (xs * y - heights).max(), kappa.conjugate(float64(y))
        if conjugate.isfinite():
            # The supremum at 1 is a limit; the slowest to come near it is the relativistic kappa, as e^2 / 2x.
            assert torch.isclose(supremum, conjugate, rtol=1e-7, atol=1e-12 if abs(y) < 1 else 1e-5)
        else:
            assert abs(y) == 1


@pytest.mark.parametrize("kappa", BOXES, ids=repr)
@pytest.mark.parametrize("y", [1.001, -1.5])
def test_outside_of_the_box_the_supremum_is_infinite(kappa, y):
    """It grows with the reach of the grid, by |y| - 1 at the least, far out."""
    far = float64(1e6, 2e6) * y
    first, second = far * y - values(kappa, far[:, None])
    assert second - first >= (abs(y) - 1) * abs(y) * 1e6 * (1 - 1e-9)
    assert kappa.conjugate(float64(0.0, y)) == math.inf


def test_the_barrier_of_the_arctangent_is_infinite_on_the_walls_themselves():
    kappa = BOXES[5]
    assert kappa.conjugate(float64(1.0)) == math.inf
    assert kappa.conjugate(float64(1 - 1e-12)).isfinite()


@pytest.mark.parametrize("kappa", [HalfSquaredL2(), *BOXES], ids=repr)
def test_a_conjugate_over_the_coordinates_is_a_sum(kappa):
    y = torch.rand(3, 4, dtype=torch.float64) * 1.9 - 0.95
    parts = torch.stack([kappa.conjugate(part) for part in y.flatten()])
    assert torch.isclose(kappa.conjugate(y), parts.sum(), rtol=1e-12)


def directions(kappa):
    """Directions that come near every extreme point of the kappa's unit ball."""
    if isinstance(kappa, (L1, Lp, LInf, TopK)):
        corners = torch.tensor(list(itertools.product([-1.0, 0.0, 1.0], repeat=3))[1:]).double()
        return torch.cat([torch.randn(400_000, 3, dtype=torch.float64), corners[corners.any(dim=1)]])
    angles = torch.linspace(0, 2 * math.pi, 601, dtype=torch.float64)
    circle = torch.stack([angles.cos(), angles.sin()], dim=1)
    products = (circle[:, None, :, None] * circle[None, :, None, :]).reshape(-1, 2, 2)  # of rank one
    return torch.cat([torch.randn(400_000, 2, 2, dtype=torch.float64), products])


@pytest.mark.parametrize("kappa", NORMS, ids=repr)
def test_the_gauge_of_a_norm_is_the_supremum_over_its_unit_ball(kappa):
    xs = directions(kappa)
    unit = xs / values(kappa, xs).reshape(-1, *[1] * (xs.ndim - 1))
    for _ in range(5):
        y = torch.randn(xs.shape[1:], dtype=torch.float64)
        supremum = (unit * y).flatten(1).sum(dim=1).max()
        gauge = kappa.gauge(y)
        assert supremum <= gauge * (1 + 1e-12)
        assert supremum >= gauge * (1 - 2e-3)
