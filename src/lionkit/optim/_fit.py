"""Whether the options of a group fit its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lionkit import kernels
from lionkit.momentum import check_rank
from lionkit.momentum._dtypes import CODECS
from lionkit.optim._decay import remember_lr
from lionkit.optim._state import real

_PLAIN = (Tensor, torch.nn.Parameter)


def check_group(group: dict[str, Any]) -> None:
    """Raise where the group's options do not go with its parameters; else note what its decay refers to.

    Raises:
        RuntimeError: the native kernel was asked for and cannot step them.
        ValueError: the kappa, a rounding or the rank of the momenta cannot serve them.
    """
    refusal = refuses_fused(group, group["params"]) if group["fused"] else None
    if refusal:
        raise RuntimeError(f"fused=True: {refusal}")
    for param in real(group["params"]):
        group["kappa"].check_shape(param.shape)
    check_params(group, group["params"])
    remember_lr(group)


def check_params(options: Mapping[str, Any], params: Iterable[Tensor]) -> None:
    """Raise on the first parameter that the roundings of its group, or the rank of its momenta, cannot serve.

    Raises:
        ValueError: a float16 weight shall be rounded stochastically, or the momentum of a tensor that is spread
            over processes, or otherwise not plain, shall be kept as codes or as factors, or a matrix has not the rank.
    """
    rank = options["momentum_rank"]
    if rank is not None:
        for param in params:
            check_rank(rank, param)
            if type(param) not in _PLAIN:
                raise ValueError(
                    f"Invalid momentum_rank: {rank} for a {type(param).__name__}, "
                    "it must be None where a parameter is not a plain tensor"
                )
    stochastic, quantised = options["weight_rounding"] == "stochastic", options["momentum_dtype"] in CODECS
    for param in params if stochastic or quantised else ():
        if stochastic and param.dtype.to_real() is torch.float16:
            raise ValueError(
                "Invalid weight_rounding: 'stochastic' for a float16 weight, it must be 'kahan' or 'nearest'"
            )
        if quantised and type(param) not in _PLAIN:
            raise ValueError(
                f"Invalid momentum_dtype: {options['momentum_dtype']!r} for a {type(param).__name__}, "
                "it must be None, 'float32' or 'bfloat16' where a parameter is not a plain tensor"
            )


def refuses_fused(options: Mapping[str, Any], params: Sequence[Tensor] = ()) -> str | None:
    """Say which filled seat the native kernel has no loop for, or what else it cannot step; None where it can."""
    if options["direction"] is not None and options["direction"].mask is None:
        return f"the native kernel does not know direction={options['direction']!r}"
    return kernels.refusal(real(params), options["kappa"])
