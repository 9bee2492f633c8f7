"""Losses with a known smoothness, and one of every kappa of the library, off its defaults."""

import math

import torch

from lionkit import kappa

SHAPE = (4, 3)
DIM = math.prod(SHAPE)

KAPPAS = [
    kappa.L1(),
    kappa.Arctan(0.3),
    kappa.Cautious(0.4),
    kappa.Entropy(0.3),
    kappa.GroupL2("rows"),
    kappa.HalfSquaredL2(),
    kappa.Huber(0.3),
    kappa.LInf(),
    kappa.Lp(1.5),
    kappa.Relativistic(0.3),
    kappa.Spectral(steps=None, adjust="original"),
    kappa.TopK(5),
    kappa.TruncatedL1(0.2),
]
CONSTRAINED = [k for k in KAPPAS if k.problem.constraint]
# Their gradient maps are continuous: the flow is a differential equation in the plain sense.
SMOOTH = [k for k in KAPPAS if isinstance(k, kappa.Arctan | kappa.Entropy | kappa.HalfSquaredL2 | kappa.Huber)]
SMOOTH += [k for k in KAPPAS if isinstance(k, kappa.Relativistic)]


def randn(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Quadratic:
    """Half a rotated quadratic form around a centre, with eigenvalues from 0.1 to 2."""

    smoothness = 2.0

    def __init__(self):
        rotation = torch.linalg.qr(randn(DIM, DIM, seed=1)).Q
        self.matrix = rotation @ torch.diag(torch.logspace(-1, math.log10(2), DIM, dtype=torch.float64)) @ rotation.T
        self.center = 3 * randn(DIM, seed=2)

    def __call__(self, theta):
        offset = theta.flatten() - self.center
        return offset @ self.matrix @ offset / 2


class Cosines:
    """A sum of amplitudes times 1 - cos: not convex, its smoothness the largest amplitude."""

    smoothness = 1.5

    def __init__(self):
        self.amplitudes = torch.linspace(0.2, self.smoothness, DIM, dtype=torch.float64)

    def __call__(self, theta):
        return (self.amplitudes * (1 - (theta.flatten() - 1).cos())).sum()


class Logistic:
    """Logistic regression with the penalty x^2 / (1 + x^2), which is not convex and 2-smooth."""

    def __init__(self):
        self.features, self.weight = randn(40, DIM, seed=3), 0.1
        self.smoothness = torch.linalg.matrix_norm(self.features, 2).item() ** 2 / (4 * 40) + 2 * self.weight

    def __call__(self, theta):
        x = theta.flatten()
        penalty = (x.square() / (1 + x.square())).sum()
        return torch.nn.functional.softplus(-self.features @ x).mean() + self.weight * penalty


LOSSES = [Quadratic(), Cosines(), Logistic()]


def gradient(loss, theta):
    with torch.enable_grad():
        theta = theta.detach().requires_grad_()
        return torch.autograd.grad(loss(theta), theta)[0]


def inside(k, decay, *, seed, share=0.9):
    """Weights in the constraint set, the furthest at the given share of its size."""
    theta = randn(*SHAPE, seed=seed)
    size = float(k.gauge(decay * theta))
    return theta * share / size if size else theta
