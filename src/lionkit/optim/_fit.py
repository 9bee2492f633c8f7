"""Whether the options of a group fit its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lionkit import kernels
from lionkit.momentum import BLOCK, MomentumDtype, check_rank, codec
from lionkit.momentum._dtypes import CODECS
from lionkit.momentum._shards import any_spread, is_spread, own, parts_at_blocks
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
        ValueError: a float16 weight shall be rounded stochastically, a matrix has not the rank, or the momentum of a
            tensor that is not plain shall be kept as factors, or as codes where its shards are not whole blocks.
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
            _check_coded(options["momentum_dtype"], param)


def _check_coded(name: MomentumDtype, param: Tensor) -> None:
    if is_spread(param):
        if codec(name, param) is None or parts_at_blocks(param, BLOCK):
            return
        what = f"DTensor of shape {tuple(param.shape)}"
        where = f"its rows are not cut into equal shards of whole blocks of {BLOCK}"
    else:
        what, where = type(param).__name__, "a parameter is not a plain tensor"
    raise ValueError(
        f"Invalid momentum_dtype: {name!r} for a {what}, it must be None, 'float32' or 'bfloat16' where {where}"
    )


def refuses_fused(options: Mapping[str, Any], params: Sequence[Tensor] = ()) -> str | None:
    """Say which filled seat the native kernel has no loop for, or what else it cannot step; None where it can."""
    direction, rounding, momentum = (options[name] for name in ("direction", "weight_rounding", "momentum_dtype"))
    if direction is not None and direction.mask is None:
        return f"the native kernel does not know direction={direction!r}"
    if any_spread(params):
        for name, seat, asks in (
            ("direction", direction, direction is not None),
            ("weight_rounding", rounding, rounding == "stochastic"),
            ("momentum_dtype", momentum, momentum in CODECS),
        ):
            if asks:
                return f"the native kernel does not know {name}={seat!r} of a DTensor's shards"
    return kernels.refusal(real([own(param) for param in params]), options["kappa"])
