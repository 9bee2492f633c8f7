"""kappa = the nuclear norm of a matrix: Muon."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
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
# Elements that are iterated on together. One matrix at a time, small ones wait for each product to be set up; above
# half a megabyte of bfloat16 the iterates leave the cache, and it is slower than one at a time.
_BATCH = 2**18
# torch 2.13 sums a product of at most 16 x 16 x 16 in a loop of its own, but not a batch of them: other roundings.
_ALONE_UP_TO = 16


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
        direction = _orthogonal_factor(x) if self.steps is None else _newton_schulz(x, self.steps)
        return _scaled(direction, factor, x.dtype)

    def foreach_gradient(self, xs: list[Tensor]) -> list[Tensor]:
        """Return the maps of a list: small matrices of one shape take their Newton-Schulz steps together."""
        if self.steps is None:
            return super().foreach_gradient(xs)
        directions = list(xs)
        for positions in _batches(xs):
            first = xs[positions[0]]
            if len(positions) == 1:
                directions[positions[0]] = self.gradient(first)
                continue
            batch = _newton_schulz(torch.stack([xs[position] for position in positions]), self.steps)
            mapped = _scaled(batch, self._factor(first), first.dtype)
            for position, direction in zip(positions, mapped.unbind(), strict=True):
                directions[position] = direction
        return directions

    def batches(self, xs: Sequence[Tensor]) -> Iterator[list[int]] | None:
        """Part matrices by shape, up to a bounded size; None of the exact factor."""
        return None if self.steps is None else _batches(xs)

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


def _batches(xs: Sequence[Tensor]) -> Iterator[list[int]]:
    """Part the positions into matrices of one kind, and those into batches of a bounded size."""
    kinds: defaultdict[object, list[int]] = defaultdict(list)
    for position, x in enumerate(xs):
        kinds[x.shape, x.dtype, x.device].append(position)
    for positions in kinds.values():
        first = xs[positions[0]]
        size = max(1, _BATCH // first.numel()) if min(first.shape) > _ALONE_UP_TO else 1
        yield from (positions[start : start + size] for start in range(0, len(positions), size))


def _orthogonal_factor(x: Tensor) -> Tensor:
    """Return U V^T over the singular values that are not 0 up to rounding; nan where not all is finite."""
    if not x.numel():
        return torch.zeros_like(x)
    finite = x.isfinite().all()
    matrix = torch.where(finite, x, 0)  # LAPACK would raise
    matrix = matrix.to(torch.promote_types(matrix.dtype, torch.float32))  # and has no half precision
    u, sizes, vh = torch.linalg.svd(matrix / divisor_to_unit(matrix), full_matrices=False)
    rank = sizes > max(matrix.shape) * torch.finfo(matrix.dtype).eps * largest(sizes)
    return torch.where(finite, (u * rank) @ vh, torch.nan)


def _newton_schulz(matrices: Tensor, steps: int) -> Tensor:
    """Return about U V^T, by the odd quintic of the singular values, applied ``steps`` times.

    Each of a batch has the bits that it has alone. One coordinate that is not finite makes the norm so, a row and a
    column of the first Gram matrix nan, and all of its square.
    """
    a, b, c = _QUINTIC
    add_product = torch.addmm if matrices.dim() == 2 else torch.baddbmm
    x = matrices.to(torch.bfloat16, copy=True)
    wide = x.shape[-2] <= x.shape[-1]
    x = x if wide else x.mT  # the smaller Gram matrix
    size = _norms(x).clamp(min=_LEAST_NORM)
    x = x / size if x.requires_grad else x.div_(size)  # autograd would miss what is overwritten
    for _ in range(steps):
        gram = x @ x.mT
        x = add_product(x, add_product(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x if wide else x.mT


def _norms(x: Tensor) -> Tensor:
    """Return the Frobenius norm of a matrix, or of each of a batch, of the same bits, to divide it by."""
    return x.norm() if x.dim() == 2 else torch.stack(torch._foreach_norm(x.unbind())).view(-1, 1, 1)


def _scaled(direction: Tensor, factor: float, dtype: torch.dtype) -> Tensor:
    """Multiply by the factor s in the dtype of the step, and lay a transposed direction out as the weights are."""
    direction = direction.to(dtype, memory_format=torch.contiguous_format).contiguous()  # to() skips a like dtype
    return direction if factor == 1 else direction.mul_(factor)
