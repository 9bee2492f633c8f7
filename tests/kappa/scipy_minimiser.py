"""The minimiser that each kappa promises, from scipy, the problem written out without any of lionkit's methods."""

import numpy as np
import torch
from scipy import optimize

from lionkit.kappa import (
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

_SLSQP = {"maxiter": 20_000, "ftol": 1e-15}
# The memory holds as many pairs as there are unknowns: with scipy's ten, the lasso of 64 weights ends too early.
_LBFGSB = {"maxiter": 20_000, "ftol": 0, "gtol": 1e-11, "maxfun": 100_000, "maxcor": 128}


def scipy_minimiser(kappa, problem, weight_decay):
    """Minimise f(x) + kappa*(weight_decay x) / weight_decay, written out by hand for each kappa."""
    if isinstance(kappa, Spectral):
        scale = 1.0 if kappa.adjust is None else max(1, problem.shape[0] / problem.shape[1]) ** 0.5
        return _over_contractions(problem, scale / weight_decay)
    split = isinstance(kappa, (TruncatedL1, LInf, TopK))
    dim = int(np.prod(problem.shape))

    def objective(z):
        x = z[:dim] - z[dim:] if split else z
        value, slope = _penalty(kappa, z, weight_decay)
        gradient = problem.gradient(x).ravel()
        gradient = np.concatenate([gradient, -gradient]) if split else gradient
        return problem.value(x) + value, gradient + slope

    constraints = _constraints(kappa, problem.shape, weight_decay)
    result = optimize.minimize(
        objective,
        np.full(2 * dim, 1e-3) if split else np.full(dim, 1e-3),
        jac=True,
        bounds=optimize.Bounds(*_bounds(kappa, split, weight_decay)),
        constraints=constraints,
        method="SLSQP" if constraints else "L-BFGS-B",
        options=_SLSQP if constraints else _LBFGSB,
    )
    x = result.x[:dim] - result.x[dim:] if split else result.x
    return x.reshape(problem.shape)


def _bounds(kappa, split, weight_decay):
    if isinstance(kappa, (HalfSquaredL2, LInf, GroupL2)) or (isinstance(kappa, Lp) and kappa.p > 1):
        wall = np.inf
    elif isinstance(kappa, (Relativistic, Entropy, Arctan)):
        wall = (1 - 1e-9) / weight_decay  # the penalty is infinitely steep at the wall
    else:
        wall = 1 / weight_decay
    return (0, wall) if split else (-wall, wall)


def _penalty(kappa, z, weight_decay):
    """Return kappa*(weight_decay x) / weight_decay without its constraint, and its gradient."""
    y = weight_decay * z
    if isinstance(kappa, HalfSquaredL2):
        value, slope = y**2 / 2, y
    elif isinstance(kappa, Huber):
        value, slope = kappa.e / 2 * y**2, kappa.e * y
    elif isinstance(kappa, TruncatedL1):  # of both parts, which are at least 0
        value, slope = kappa.e * y, kappa.e * np.ones_like(y)
    elif isinstance(kappa, Relativistic):
        value, slope = -kappa.e * np.sqrt(1 - y**2), kappa.e * y / np.sqrt(1 - y**2)
    elif isinstance(kappa, Entropy):
        value = kappa.e / 2 * ((1 + y) * np.log(1 + y) + (1 - y) * np.log(1 - y))
        slope = kappa.e / 2 * np.log((1 + y) / (1 - y))
    elif isinstance(kappa, Arctan):
        value = -2 * kappa.e / np.pi * np.log(np.cos(np.pi * y / 2))
        slope = kappa.e * np.tan(np.pi * y / 2)
    elif isinstance(kappa, Cautious):
        value = np.where(np.abs(y) < kappa.nu, y**2 / 2, kappa.nu * np.abs(y) - kappa.nu**2 / 2)
        slope = np.clip(y, -kappa.nu, kappa.nu)
    else:
        value, slope = np.zeros_like(y), np.zeros_like(y)
    return value.sum() / weight_decay, slope


def _constraints(kappa, shape, weight_decay):
    if isinstance(kappa, (LInf, TopK)):
        total = (kappa.k if isinstance(kappa, TopK) else 1) / weight_decay
        return [{"type": "ineq", "fun": lambda z: total - z.sum(), "jac": lambda z: -np.ones_like(z)}]
    if isinstance(kappa, Lp) and kappa.p > 1:
        q = kappa.p / (kappa.p - 1)
        return [
            _ball(
                lambda z: np.abs(z * weight_decay) ** q,
                lambda z: np.sign(z) * np.abs(z * weight_decay) ** (q - 1) * q * weight_decay,
            )
        ]
    if isinstance(kappa, GroupL2):
        index = np.indices(shape)[{"rows": 0, "columns": 1}.get(kappa.groups, 0)].ravel()
        index = np.zeros_like(index) if kappa.groups == "tensor" else index
        masks = [index == group for group in np.unique(index)]
        return [
            _ball(
                lambda z, mask=mask: mask * (z * weight_decay) ** 2, lambda z, mask=mask: 2 * mask * z * weight_decay**2
            )
            for mask in masks
        ]
    return []


def _ball(terms, slopes):
    return {"type": "ineq", "fun": lambda z: 1 - terms(z).sum(), "jac": lambda z: -slopes(z)}


def _over_contractions(problem, radius):
    """Minimise over matrices without singular values above a radius, which are the corners of rotations."""
    rows, columns = problem.shape
    size = rows + columns
    above = np.triu_indices(size, 1)

    def objective(angles):
        skew = torch.zeros(size, size, dtype=torch.float64)
        skew[above] = torch.from_numpy(angles)
        skew.requires_grad_()
        corner = torch.matrix_exp(skew - skew.T)[:rows, :columns] * radius
        slope = torch.from_numpy(problem.gradient(corner.detach().numpy()))
        (gradient,) = torch.autograd.grad(corner, skew, slope)
        return problem.value(corner.detach().numpy()), gradient.numpy()[above], corner.detach().numpy()

    start = np.random.default_rng(0).standard_normal(len(above[0]))
    result = optimize.minimize(
        lambda angles: objective(angles)[:2], start, jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 5000}
    )
    return objective(result.x)[2]
