"""The kappas that every law is tested on, with parameters that are nobody's default, and points to test them at."""

import torch
from hypothesis import strategies as st

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
from lionkit.testing._kappa import SHAPES, scaled, takes

BOXES = [L1(), Huber(0.3), TruncatedL1(0.7), Relativistic(0.2), Entropy(0.4), Arctan(0.1), Cautious(0.6)]
NORMS = [
    Lp(1),
    Lp(1.3),
    Lp(2),
    Lp(5),
    LInf(),
    TopK(3),
    GroupL2("rows"),
    GroupL2("columns"),
    GroupL2("tensor"),
    Spectral(steps=None),
    Spectral(steps=None, adjust="original"),
    Spectral(steps=None, adjust="match_rms_adamw"),
]
KAPPAS = [HalfSquaredL2(), *BOXES, *NORMS]
NEWTON_SCHULZ = Spectral(steps=6)  # near a gradient map, and so outside the laws


def shapes_of(kappa):
    return [shape for shape in SHAPES if takes(kappa, shape)]


def inner(x, y):
    return (x * y).sum()


@st.composite
def points(draw, kappa):
    """Two tensors of one shape that the kappa takes, of scales of their own, a fifth of their coordinates 0."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    shape = draw(st.sampled_from(shapes_of(kappa)))
    return [scaled(shape, draw(st.floats(-6, 6)), generator) for _ in range(2)]
