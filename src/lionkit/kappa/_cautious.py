"""kappa of the coordinatewise cautious sign: CLion with a gate for every coordinate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lionkit.kappa._base import InducedProblem
from lionkit.kappa._box import CONSTRAINT, Box


@final
@dataclass(frozen=True)
class Cautious(Box):
    r"""CLion's cautious sign, coordinate by coordinate: the sign from nu on, the identity below.

    .. math::
        \nabla\kappa(x)_i = \begin{cases} x_i & |x_i| < \nu \\ \operatorname{sign}(x_i) & |x_i| \ge \nu \end{cases}
        \qquad
        \kappa(x) = \sum_i \begin{cases} x_i^2/2 & |x_i| < \nu \\ |x_i| - \nu + \nu^2/2 & |x_i| \ge \nu \end{cases}

    At nu, where the subgradient is the interval [nu, 1], the map is 1, as in the paper, and not the least
    element. For nu > 1 the map is not monotone and no kappa has it. With nu = 1 it is ``Huber(1.0)``; as nu tends
    to 0 it is `L1`. The gate of a whole tensor, as in the paper's Algorithm 2, is not monotone for any nu and is no
    kappa either.

    ``lr`` has the unit of the weights where the sign is taken, and of weight over gradient below nu: what a step
    does depends on the scale of the loss. At a coordinate that is not finite the map is nan.

    Args:
        nu: From where the sign is taken, above 0 and at most 1, in the unit of the gradient.

    Raises:
        ValueError: ``nu`` is out of its range.

    >>> import torch
    >>> from lionkit.kappa import Cautious
    >>> Cautious(0.5).gradient(torch.tensor([-3.0, 0.0, 0.25]))
    tensor([-1.0000,  0.0000,  0.2500])

    References:
        Huang, Zhang, Chen, "CLion: Efficient Cautious Lion Optimizer with Enhanced Generalization", arXiv
        2604.14587, the coordinatewise map of its Figure 1 (d), read in a secondary source. The value and the
        conjugate are ours.
    """

    nu: float
    kernel = "cautious"

    def __post_init__(self) -> None:
        if not 0 < self.nu <= 1:
            raise ValueError(
                f"Invalid nu: {self.nu}, it must be above 0 and at most 1; the limit at 0 is L1(), "
                "and above 1 the map is not monotone"
            )
        object.__setattr__(self, "nu", float(self.nu))

    @property
    def kernel_parameter(self) -> float:
        """The parameter, nu."""
        return self.nu

    def value(self, x: Tensor) -> Tensor:
        """Return half the sum of squares up to nu, and what follows with slope 1."""
        size = x.abs()
        small = size.clamp(max=self.nu)
        return (small.square() / 2 + (size - small)).sum()

    def gradient(self, x: Tensor) -> Tensor:
        """Return x below nu and its sign from nu on."""
        return torch.add(torch.where(x.abs() < self.nu, x, x.sign()), x, alpha=0)

    def _penalty(self, y: Tensor) -> Tensor:
        size = y.abs()
        small = size.clamp(max=self.nu)
        return small.square() / 2 + self.nu * (size - small)

    @property
    def problem(self) -> InducedProblem:
        """Minimise f with a Huber penalty over a box."""
        return InducedProblem(
            words="minimise f plus 1 / weight_decay times the sum of h(weight_decay x), half a square up to "
            f"{self.nu:g} and linear beyond, over the box in which no weight is larger than 1 / weight_decay",
            latex=r"\min_x f(x) + \frac{1}{\lambda} \sum_i h(\lambda x_i), \; h(y) = \int_0^{|y|} \min(t, "
            rf"{self.nu:g}) \, dt \quad \text{{s.t.}} \quad {CONSTRAINT}",
            constraint=CONSTRAINT,
        )
