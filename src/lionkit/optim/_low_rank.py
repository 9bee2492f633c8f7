"""A momentum of low rank: the factors of a randomised singular value decomposition."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import torch
from torch import Tensor

from lionkit.kernels import step_key

LEFT: Final = "exp_avg_left"
SIZES: Final = "exp_avg_sizes"
RIGHT: Final = "exp_avg_right"
FACTORS: Final = (LEFT, SIZES, RIGHT)


def is_low_rank(rank: int | None, param: Tensor) -> bool:
    """Whether the momentum of this parameter is kept as factors: real matrices alone are."""
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


def compose(kept: Mapping[str, Any], param: Tensor) -> Tensor:
    """Return the momentum that the factors make, in float32 or better; zeros where there are none yet."""
    if LEFT not in kept:
        return torch.zeros_like(param, dtype=torch.promote_types(param.dtype, torch.float32))
    return (kept[LEFT] * kept[SIZES]) @ kept[RIGHT]


def decompose(momentum: Tensor, rank: int, kept: MutableMapping[str, Any], key: int) -> None:
    r"""Write the factors of a momentum: :math:`U \operatorname{diag}(S) V` of rank r, found among r random directions.

    With :math:`\Omega \sim N(0, 1)^{q \times r}`, :math:`Q = \operatorname{qr}(A\Omega)` and
    :math:`Q^\top A = \tilde U S V`, the left factor is :math:`Q \tilde U`. At full rank it is A itself, up to rounding.

    Args:
        momentum: A, p by q, float32 or float64.
        rank: r, at most the smaller of p and q.
        kept: Where the factors are written: (p, r), (r,) and (r, q).
        key: Of the random directions.

    References:
        Halko, Martinsson, Tropp, "Finding Structure with Randomness", arXiv 0909.4061, Algorithm 4.1 and section 5.1.
    """
    generator = torch.Generator(momentum.device).manual_seed(key)
    directions = torch.randn(momentum.shape[1], rank, generator=generator, dtype=momentum.dtype, device=momentum.device)
    finite = momentum.isfinite().all()
    basis = torch.linalg.qr(torch.where(finite, momentum, 0) @ directions).Q  # LAPACK would raise
    left, sizes, right = torch.linalg.svd(basis.mT @ torch.where(finite, momentum, 0), full_matrices=False)
    found = basis @ left, torch.where(finite, sizes, torch.nan), right
    for name, factor in zip(FACTORS, found, strict=True):
        if name in kept:
            kept[name].copy_(factor)
        else:
            kept[name] = factor.contiguous()


def key_of(seed: int, step: int, position: int) -> int:
    """Return the seed of one decomposition, as torch's generators take it."""
    return step_key(step_key(seed, step), position)
