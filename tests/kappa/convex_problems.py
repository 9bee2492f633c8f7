"""Least squares and logistic regression with a matrix of weights, in numpy."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import optimize, special


@dataclass(frozen=True)
class Problem:
    """A convex f of a matrix: the mean over examples of a loss of their inner products with it."""

    name: str
    shape: tuple[int, int]
    inputs: NDArray
    targets: NDArray

    def value(self, x):
        scores = self.inputs @ x.ravel()
        if self.name == "least squares":
            return np.square(scores - self.targets).mean() / 2
        return 4 * np.logaddexp(0, -self.targets * scores).mean()

    def gradient(self, x):
        scores = self.inputs @ x.ravel()
        if self.name == "least squares":
            slopes = scores - self.targets
        else:
            slopes = -4 * self.targets * special.expit(-self.targets * scores)
        return (slopes @ self.inputs / len(slopes)).reshape(self.shape)

    def free_minimiser(self):
        result = optimize.minimize(
            lambda x: self.value(x),
            np.zeros(np.prod(self.shape)),
            jac=lambda x: self.gradient(x).ravel(),
            method="BFGS",
            options={"gtol": 1e-10},
        )
        return result.x.reshape(self.shape)


def make_problem(name, shape, seed):
    """Draw a problem whose gradient has a Lipschitz constant of at most 1, its examples six to a weight."""
    generator = np.random.default_rng(seed)
    dim = int(np.prod(shape))
    inputs = generator.standard_normal((6 * dim, dim))
    inputs /= np.sqrt(np.linalg.eigvalsh(inputs.T @ inputs / len(inputs))[-1])
    scores = inputs @ generator.standard_normal(dim)
    if name == "least squares":
        return Problem(name, shape, inputs, scores + generator.standard_normal(len(scores)))
    wrong = generator.random(len(scores)) < 0.2  # or the classes could be told apart, and there were no minimiser
    return Problem(name, shape, inputs, np.where(wrong, -1.0, 1.0) * np.sign(scores))


def decay_that_binds(kappa, problem):
    """Return a weight decay under which the free minimiser lies well outside of the constraint."""
    free = problem.free_minimiser()
    size = float(kappa.gauge(torch.from_numpy(free)))
    return 2 / size if size else 0.3
