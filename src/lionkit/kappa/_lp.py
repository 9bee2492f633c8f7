"""kappa = an lp norm: between sign descent and greedy coordinate descent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lionkit.kappa._base import InducedProblem
from lionkit.kappa._norm import Norm, normalised, p_norm


@final
@dataclass(frozen=True)
class Lp(Norm):
    r"""The lp norm :math:`\kappa(x) = \|x\|_p` of a whole parameter; the map is a normalised power.

    .. math:: \nabla\kappa(x)_i = \operatorname{sign}(x_i)\,(|x_i| / \|x\|_p)^{p-1}

    With p = 1 it is `L1`, with p = 2 normalised gradient descent (`GroupL2`), and as p grows the step gathers
    on the largest coordinate (`LInf`). A step has lq norm ``lr``, with 1/p + 1/q = 1, so ``lr`` has the unit of the
    weights; for p > 1 it is shared by all weights of a parameter, and the settings of Lion times
    :math:`d^{1/q}` move a weight as far. The map is 0 at 0, and nan throughout where any coordinate is not finite.

    Args:
        p: At least 1 and finite.

    Raises:
        ValueError: ``p`` is out of its range.

    >>> import torch
    >>> from lionkit.kappa import Lp
    >>> Lp(2).gradient(torch.tensor([-3.0, 0.0, 4.0]))
    tensor([-0.6000,  0.0000,  0.8000])

    References:
        arXiv 2310.05898, the table of kappas; derived here anew, its row not compared with the text.
    """

    p: float

    def __post_init__(self) -> None:
        if not 1 <= self.p < math.inf:
            raise ValueError(f"Invalid p: {self.p}, it must be at least 1 and finite; the limit at infinity is LInf()")
        object.__setattr__(self, "p", float(self.p))

    def value(self, x: Tensor) -> Tensor:
        """Return the lp norm."""
        return p_norm(x, self.p).sum()

    def gradient(self, x: Tensor) -> Tensor:
        """Return the signs times the (p - 1)-th power of the normalised absolute values."""
        unit = normalised(x, self.p)
        return torch.addcmul(unit * 0, unit.sign(), unit.abs().pow(self.p - 1))

    def gauge(self, y: Tensor) -> Tensor:
        """Return the lq norm, with 1/p + 1/q = 1."""
        return p_norm(y, self._q).sum()

    @property
    def _q(self) -> float:
        return self.p / (self.p - 1) if self.p > 1 else math.inf

    @property
    def _rounding(self) -> float:
        return super()._rounding * self.p  # the power multiplies relative errors

    @property
    def problem(self) -> InducedProblem:
        """Minimise f over a ball of the dual norm."""
        ball = rf"\|x\|_{{{self._q:g}}} \le 1/\lambda".replace("inf", r"\infty")
        return InducedProblem(
            words=f"minimise f over the weights whose l{self._q:g} norm is at most 1 / weight_decay in each parameter",
            latex=rf"\min_x f(x) \quad \text{{s.t.}} \quad {ball}",
            constraint=ball,
        )
