"""kappa = the nuclear norm of a matrix: Muon."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final, get_args

import torch
from torch import Tensor

from lionkit.kappa._base import InducedProblem
from lionkit.kappa._norm import Norm, divisor_to_unit, largest

Adjustment = Literal["original", "match_rms_adamw"]

# Jordan's quintic: its slope at 0 is as steep as it can be while singular values in (0, 1] end near 1.
_QUINTIC = (3.4445, -4.7750, 2.0315)
# What torch.optim.Muon takes for a norm at the least, so that a matrix of zeros stays 0.
_LEAST_NORM = 1e-7


@final
@dataclass(frozen=True)
class Spectral(Norm):
    r"""The nuclear norm of a matrix, the sum of its singular values; the map is its orthogonal factor: Muon.

    .. math:: \kappa(X) = s \|X\|_*, \qquad \nabla\kappa(U \Sigma V^\top) = s\, U V^\top

    Every singular direction moves by ``s * lr``, which has the unit of the weights' spectral norm. With
    ``steps=None`` the map is exact, by a singular value decomposition, and 0 in directions in which the matrix has
    no rank. With a number of ``steps`` it is Muon's Newton-Schulz iteration in bfloat16: five of them bring
    singular values from 0.01 to 1 of the Frobenius norm to between 0.68 and 1.14 only. That is near a gradient and
    is none: the constraint holds up to that factor, and what is reached is near the minimiser at best. The value,
    the conjugate and the problem are those of the exact map. The map is nan throughout where any coordinate is not
    finite.

    Args:
        steps: Newton-Schulz steps, at least 1; None: the exact factor.
        adjust: The factor s for a matrix of A rows and B columns. None: 1; "original": :math:`\sqrt{\max(1, A/B)}`;
            "match_rms_adamw": :math:`0.2\sqrt{\max(A, B)}`. The names are those of `torch.optim.Muon`.

    Raises:
        ValueError: ``steps`` or ``adjust`` is out of its range.

    >>> import torch
    >>> from lionkit.kappa import Spectral
    >>> Spectral(steps=None).gradient(torch.tensor([[-3.0, 0.0], [0.0, 0.5]]))
    tensor([[-1.,  0.],
            [ 0.,  1.]])

    References:
        Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024. Chen, Li, Liu, "Muon Optimizes
        Under Spectral Norm Constraints", arXiv 2506.15054, Proposition 2.
    """

    steps: int | None = 5
    adjust: Adjustment | None = None

    def __post_init__(self) -> None:
        if self.steps is not None and (not isinstance(self.steps, int) or self.steps < 1):
            raise ValueError(f"Invalid steps: {self.steps}, it must be a whole number and at least 1, or None")
        if self.adjust is not None and self.adjust not in get_args(Adjustment):
            raise ValueError(f"Invalid adjust: {self.adjust!r}, it must be None, 'original' or 'match_rms_adamw'")

    def check_shape(self, shape: Sequence[int]) -> None:
        """Raise for all but matrices."""
        if len(shape) != 2:
            raise ValueError(
                f"Spectral cannot take a parameter of shape {tuple(shape)}: it must have 2 dims and be real; "
                f"use {'GroupL2() or ' if shape else ''}L1() for it"
            )

    def value(self, x: Tensor) -> Tensor:
        """Return s times the sum of the singular values."""
        return self._factor(x) * torch.linalg.svdvals(x).sum()

    def gradient(self, x: Tensor) -> Tensor:
        """Return s times the orthogonal factor, exact or by Newton-Schulz steps."""
        factor = self._factor(x)
        finite = x.isfinite().all()
        matrix = torch.where(finite, x, 0)  # LAPACK would raise
        direction = _orthogonal_factor(matrix) if self.steps is None else _newton_schulz(matrix, self.steps)
        return torch.where(finite, factor * direction.to(x.dtype), torch.nan)

    def gauge(self, y: Tensor) -> Tensor:
        """Return the largest singular value, divided by s."""
        return largest(torch.linalg.svdvals(y)) / self._factor(y)

    def _factor(self, x: Tensor) -> float:
        self.check_shape(x.shape)
        rows, columns = x.shape
        if self.adjust is None:
            return 1.0
        if self.adjust == "original":
            return math.sqrt(max(1, rows / max(1, columns)))
        return 0.2 * math.sqrt(max(rows, columns))

    @property
    def problem(self) -> InducedProblem:
        """Minimise f over a ball of the spectral norm."""
        s, about = "1" if self.adjust is None else "s", "" if self.steps is None else "about "
        return InducedProblem(
            words=f"minimise f over the matrices that have no singular value above {about}{s} / weight_decay",
            latex=rf"\min_X f(X) \quad \text{{s.t.}} \quad \|X\|_{{\mathrm{{op}}}} \le {s}/\lambda",
            constraint=rf"\|X\|_{{\mathrm{{op}}}} \le {s}/\lambda",
        )


def _orthogonal_factor(matrix: Tensor) -> Tensor:
    """Return U V^T over the singular values that are not 0 up to rounding."""
    if not matrix.numel():
        return matrix
    matrix = matrix.to(torch.promote_types(matrix.dtype, torch.float32))  # LAPACK has no half precision
    u, sizes, vh = torch.linalg.svd(matrix / divisor_to_unit(matrix), full_matrices=False)
    rank = sizes > max(matrix.shape) * torch.finfo(matrix.dtype).eps * largest(sizes)
    return (u * rank) @ vh


def _newton_schulz(matrix: Tensor, steps: int) -> Tensor:
    """Return about U V^T, by the odd quintic of the singular values, applied ``steps`` times."""
    a, b, c = _QUINTIC
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix.bfloat16() if wide else matrix.bfloat16().T  # the smaller Gram matrix
    x = x / x.norm().clamp(min=_LEAST_NORM)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x if wide else x.T
