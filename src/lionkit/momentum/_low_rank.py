"""A momentum of low rank: the factors of a randomised singular value decomposition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor

LEFT: Final = "exp_avg_left"
SIZES: Final = "exp_avg_sizes"
RIGHT: Final = "exp_avg_right"
FACTORS: Final = (LEFT, SIZES, RIGHT)


def is_low_rank(rank: int | None, param: Tensor) -> bool:
    """Whether the momentum of this parameter is kept as factors: under a rank, real matrices alone are.

    Example:
        >>> import torch
        >>> from lionkit import momentum
        >>> momentum.is_low_rank(2, torch.zeros(5, 3)), momentum.is_low_rank(2, torch.zeros(7))
        (True, False)
    """
    return rank is not None and param.ndim == 2 and not param.is_complex()


def check_rank(rank: int, param: Tensor) -> None:
    """Raise where a matrix is smaller than the rank.

    Raises:
        ValueError: with the rank, what it must be and what to use instead.
    """
    if is_low_rank(rank, param) and rank > min(param.shape):
        raise ValueError(
            f"Invalid momentum_rank: {rank} for a parameter of shape {tuple(param.shape)}, it must be at most "
            f"{min(param.shape)}, its smaller side; use momentum_rank=None in a group of its own"
        )


def zero_factors(rank: int, param: Tensor) -> dict[str, Tensor]:
    """Return the factors of a momentum of zeros."""
    rows, columns = param.shape
    shapes = (rows, rank), (rank,), (rank, columns)
    return {
        name: torch.zeros(shape, dtype=_dtype(param), device=param.device)
        for name, shape in zip(FACTORS, shapes, strict=True)
    }


def compose(factors: Mapping[str, Any], param: Tensor) -> Tensor:
    """Return the momentum that the factors make.

    Raises:
        ValueError: they do not fit one another or the parameter.
    """
    found = [tuple(factors[name].shape) if name in factors else None for name in FACTORS]
    rank = factors[LEFT].shape[-1]
    must = [(param.shape[0], rank), (rank,), (rank, param.shape[-1])] if param.ndim == 2 else "none"
    if found != must:
        raise ValueError(f"Invalid factors of the momentum: their shapes are {found}, they must be {must}")
    return (factors[LEFT] * factors[SIZES]) @ factors[RIGHT]


def decompose(momentum: Tensor, rank: int, param: Tensor, key: int) -> dict[str, Tensor]:
    r"""Return the factors of a momentum: :math:`U \operatorname{diag}(S) V` of rank r, found among r random directions.

    With :math:`\Omega \sim N(0, 1)^{q \times r}`, :math:`Q = \operatorname{qr}(A\Omega)` and
    :math:`Q^\top A = \tilde U S V`, the left factor is :math:`Q \tilde U`. At full rank it is A itself, up to rounding.
    A momentum that is not finite has sizes of nan.

    Args:
        momentum: A, p by q.
        rank: r, at most the smaller of p and q.
        param: Whose momentum it is: the factors are float64 where it is, else float32.
        key: Of the random directions, in [0, 2**64).

    Returns:
        The factors, (p, r), (r,) and (r, q).

    References:
        Halko, Martinsson, Tropp, "Finding Structure with Randomness", arXiv 0909.4061, Algorithm 4.1 and section 5.1.
    """
    wide = momentum.to(_dtype(param))
    generator = torch.Generator(wide.device).manual_seed(key)
    directions = torch.randn(wide.shape[1], rank, generator=generator, dtype=wide.dtype, device=wide.device)
    finite = wide.isfinite().all()
    tame = torch.where(finite, wide, 0)  # LAPACK would raise
    basis = torch.linalg.qr(tame @ directions).Q
    left, sizes, right = torch.linalg.svd(basis.mT @ tame, full_matrices=False)
    return {LEFT: basis @ left, SIZES: torch.where(finite, sizes, torch.nan), RIGHT: right.contiguous()}


def _dtype(param: Tensor) -> torch.dtype:
    return torch.promote_types(param.dtype, torch.float32)
