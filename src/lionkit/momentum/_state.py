"""A parameter's state from a plain momentum, and a plain momentum from its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor

from lionkit.momentum._blockwise import Blockwise
from lionkit.momentum._dtypes import CODES, MomentumDtype, codec, codec_of, dense_dtype
from lionkit.momentum._low_rank import FACTORS, LEFT, SIZES, compose, decompose, is_low_rank, zero_factors
from lionkit.momentum._shards import own, own_as, spread

DENSE: Final = "exp_avg"
SCALES: Final = "exp_avg_scales"


def has_momentum(state: Mapping[str, Any]) -> bool:
    """Whether a parameter's state has a momentum, in whatever form."""
    return DENSE in state or CODES in state or LEFT in state


def zero_state(
    momentum_dtype: MomentumDtype | None, param: Tensor, momentum_rank: int | None = None
) -> dict[str, Tensor]:
    """Return the state of a parameter whose momentum is 0, without a buffer of the parameter's size for codes."""
    if momentum_rank is not None and is_low_rank(momentum_rank, param):
        return zero_factors(momentum_rank, param)
    found = codec(momentum_dtype, param)
    if found is None:
        dtype = dense_dtype(momentum_dtype, param)
        return {DENSE: torch.zeros_like(param, dtype=dtype, memory_format=torch.preserve_format)}
    codes, scales = found.zeros(_real(own(param)).numel(), param.device)
    return {CODES: spread(codes, param), SCALES: spread(scales, param)}


def encode_state(
    momentum: Tensor,
    momentum_dtype: MomentumDtype | None,
    param: Tensor,
    momentum_rank: int | None = None,
    *,
    key: int = 0,
) -> dict[str, Tensor]:
    """Return the state of a parameter whose momentum is given, rounded to nearest.

    Args:
        momentum: Dense, of the parameter's shape, complex where the parameter is.
        momentum_dtype: How to keep it; None keeps it as it is, in its own dtype.
        param: Whose momentum it is; only its shape and dtype are read.
        momentum_rank: Keep that of a real matrix as factors of this rank, at most its smaller side; None: whole.
        key: Of the random directions among which factors are found, in [0, 2**64).

    Returns:
        ``exp_avg`` or, of parameters that `codec` codes, ``exp_avg_codes`` and ``exp_avg_scales``: 1-dimensional,
        in row-major order of the parameter; the two parts of a complex number are neighbours. Of rank r, of a matrix
        (p, q): ``exp_avg_left``, (p, r), ``exp_avg_sizes``, (r,), and ``exp_avg_right``, (r, q).

    Example:
        >>> import torch
        >>> from lionkit import momentum
        >>> weight = torch.ones(64, 64)
        >>> state = momentum.encode_state(0.1 * weight, "int4", weight)
        >>> {name: (tensor.dtype, *tensor.shape) for name, tensor in state.items()}
        {'exp_avg_codes': (torch.uint8, 2048), 'exp_avg_scales': (torch.bfloat16, 32)}
    """
    if momentum_rank is not None and is_low_rank(momentum_rank, param):
        return decompose(momentum, momentum_rank, param, key)
    if momentum_dtype is None:
        return {DENSE: momentum}
    found = codec(momentum_dtype, param)
    if found is None:
        return {DENSE: momentum.to(dense_dtype(momentum_dtype, param))}
    codes, scales = found.encode(_real(own_as(momentum, param)).to(torch.float32))
    return {CODES: spread(codes, param), SCALES: spread(scales, param)}


def convert_state(
    state: Mapping[str, Any],
    momentum_dtype: MomentumDtype | None,
    param: Tensor,
    momentum_rank: int | None = None,
    *,
    key: int = 0,
) -> dict[str, Tensor]:
    """Return the momentum in a state as `encode_state` would keep it: the very tensors where they are that already.

    Codes and factors are so kept to the bit, which coding anew, or by other directions, would not do.

    Raises:
        ValueError: there is no momentum, or it does not fit the parameter.
    """
    momentum = decode_state(state, param)
    if is_low_rank(momentum_rank, param):
        if LEFT in state and len(state[SIZES]) == momentum_rank:
            return {name: state[name] for name in FACTORS}
    elif CODES in state and DENSE not in state and codec_of(state[CODES]) == codec(momentum_dtype, param):
        return {CODES: state[CODES], SCALES: state[SCALES]}
    return encode_state(momentum, momentum_dtype, param, momentum_rank, key=key)


def decode_state(state: Mapping[str, Any], param: Tensor) -> Tensor:
    """Return the dense momentum in a parameter's state: ``exp_avg`` as it is, codes as float32 or complex64.

    Factors are multiplied in their own dtype.

    Args:
        state: As any Lion keeps it, or with codes of either width, or factors of any rank.
        param: Whose state it is; only its shape and whether it is complex are read.

    Raises:
        ValueError: there is no momentum, or it does not fit the parameter.

    Example:
        >>> import torch
        >>> from lionkit import momentum
        >>> weight = torch.ones(64, 64)
        >>> state = momentum.encode_state(0.1 * weight, "int8", weight)
        >>> momentum.decode_state(state, weight)[0, 0]
        tensor(0.1004)
    """
    if DENSE in state:
        if state[DENSE].shape != param.shape:
            found = tuple(state[DENSE].shape)
            raise ValueError(f"Invalid {DENSE}: its shape is {found}, it must be {tuple(param.shape)}, the parameter's")
        return state[DENSE]
    if LEFT in state:
        return compose(state, param)
    if CODES not in state or SCALES not in state:
        raise ValueError(f"Invalid state: it has {sorted(state)}, it must have {DENSE!r}, or {CODES!r} and {SCALES!r}")
    found, shape = _checked_codec(state, _real(param).numel()), _real(own(param)).shape
    decoded = found.decode(own(state[CODES]), own(state[SCALES]), shape)
    return torch.view_as_complex(decoded) if param.is_complex() else spread(decoded, param)


def _checked_codec(state: Mapping[str, Any], numel: int) -> Blockwise:
    """Return the codec by which a state was coded, once codes and scales are as it would have left them."""
    codes, scales = state[CODES], state[SCALES]
    found = codec_of(codes)
    if codes.shape != (found.num_codes(numel),):
        must = f"it must be {(found.num_codes(numel),)} for {numel} coordinates"
        raise ValueError(f"Invalid {CODES}: their shape is {tuple(codes.shape)}, {must}")
    if scales.dtype is not torch.bfloat16:
        raise ValueError(f"Invalid {SCALES}: their dtype is {scales.dtype}, it must be torch.bfloat16")
    if scales.shape != (found.num_scales(numel),):
        must = f"it must be {(found.num_scales(numel),)}, one a block of 128"
        raise ValueError(f"Invalid {SCALES}: their shape is {tuple(scales.shape)}, {must}")
    return found


def _real(tensor: Tensor) -> Tensor:
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor
