"""The ways to keep a momentum, by name."""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor

from lionkit.momentum._blockwise import Blockwise

MomentumDtype = Literal["float32", "bfloat16", "int8", "int4"]

CODES: Final = "exp_avg_codes"

MIN_NUMEL: Final = 4096
"""Parameters of fewer elements stay float32 under int8 and int4: norms and biases are among them, and cost little."""

# Measured on a GPT-2. Of 8 bits, 5 mantissa bits make the sign of c differ least often from float32's. Of 4, the wide
# range of no mantissa bit has the least bias, which training feels more than noise. Rounded to nearest, a momentum
# stalls: each decay by less than half a step is lost.
INT8: Final = Blockwise(bits=8, mantissa_bits=5, rounding="stochastic")
INT4: Final = Blockwise(bits=4, mantissa_bits=0, rounding="stochastic")
CODECS: Final = {"int8": INT8, "int4": INT4}

_DENSE = {"float32": torch.float32, "bfloat16": torch.bfloat16, **dict.fromkeys(CODECS, torch.float32)}


def codec(momentum_dtype: MomentumDtype | None, param: Tensor) -> Blockwise | None:
    """Return what codes this parameter's momentum; None where it is dense, as every small parameter's is.

    Example:
        >>> import torch
        >>> from lionkit import momentum
        >>> momentum.codec("int8", torch.zeros(64, 64)) is momentum.INT8
        True
        >>> momentum.codec("int8", torch.zeros(64, 63)) is None
        True
    """
    if momentum_dtype is None or param.numel() < MIN_NUMEL:
        return None
    return CODECS.get(momentum_dtype)


def codec_of(codes: Tensor) -> Blockwise:
    """Return what made these codes: a step goes by the state that it finds.

    Raises:
        ValueError: nothing here makes codes of this dtype.
    """
    for found in CODECS.values():
        if found.code_dtype is codes.dtype:
            return found
    raise ValueError(f"Invalid {CODES}: their dtype is {codes.dtype}, it must be torch.int8 or torch.uint8")


def dense_dtype(momentum_dtype: MomentumDtype | None, param: Tensor) -> torch.dtype:
    """Return the dtype of a momentum that `codec` leaves dense.

    A complex parameter's is complex64 under every name, as torch has no complex bfloat16; None is the
    parameter's own dtype.

    Example:
        >>> import torch
        >>> from lionkit import momentum
        >>> momentum.dense_dtype("int4", torch.zeros(3, dtype=torch.bfloat16))
        torch.float32
    """
    if momentum_dtype is None:
        return param.dtype
    return torch.complex64 if param.is_complex() else _DENSE[momentum_dtype]
