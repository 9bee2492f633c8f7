"""kappa = half the squared l2 norm: momentum gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor

from lionkit.kappa._base import InducedProblem, Kappa


@final
@dataclass(frozen=True)
class HalfSquaredL2(Kappa):
    r"""Half the squared l2 norm :math:`\kappa(x) = \frac12\|x\|_2^2`, whose gradient map is the identity.

    Lion-K becomes gradient descent with a look-ahead momentum and decoupled weight decay; ``lr`` has the
    unit of weight over gradient, as in SGD. Nothing is constrained: the decay is ridge regularisation.
    The map hands on what is not finite as it is.

    >>> import torch
    >>> from lionkit.kappa import HalfSquaredL2
    >>> HalfSquaredL2().gradient(torch.tensor([-3.0, 0.0, 0.5]))
    tensor([-3.0000,  0.0000,  0.5000])
    """

    kernel = "identity"

    def value(self, x: Tensor) -> Tensor:
        """Return half the sum of squares."""
        return x.square().sum() / 2

    def gradient(self, x: Tensor) -> Tensor:
        """Return ``x`` itself."""
        return x

    def conjugate(self, y: Tensor) -> Tensor:
        """Return half the sum of squares: this kappa is its own conjugate."""
        return self.value(y)

    def gauge(self, y: Tensor) -> Tensor:
        """Return 0: nothing is constrained."""
        return y.new_zeros(())

    @property
    def problem(self) -> InducedProblem:
        """Minimise f with a ridge penalty."""
        return InducedProblem(
            words="minimise f plus weight_decay / 2 times the squared l2 norm of the weights",
            latex=r"\min_x f(x) + \frac{\lambda}{2} \|x\|_2^2",
            constraint=None,
        )
