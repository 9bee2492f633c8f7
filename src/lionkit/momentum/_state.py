"""A parameter's state from a plain momentum, and a plain momentum from its state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from lionkit.momentum._blockwise import Blockwise
from lionkit.momentum._dtypes import CODECS, MomentumDtype, codec, dense_dtype

DENSE: Final = "exp_avg"
CODES: Final = "exp_avg_codes"
SCALES: Final = "exp_avg_scales"


def zero_state(momentum_dtype: MomentumDtype | None, param: Tensor) -> dict[str, Tensor]:
    """Return the state of a parameter whose momentum is 0, without a buffer of the parameter's size for codes."""
    found = codec(momentum_dtype, param)
    if found is None:
        dtype = dense_dtype(momentum_dtype, param)
        return {DENSE: torch.zeros_like(param, dtype=dtype, memory_format=torch.preserve_format)}
    codes, scales = found.zeros(_real(param).numel(), param.device)
    return {CODES: codes, SCALES: scales}


def encode_state(momentum: Tensor, momentum_dtype: MomentumDtype | None, param: Tensor) -> dict[str, Tensor]:
    """Return the state of a parameter whose momentum is given, rounded to nearest.

    Args:
        momentum: Dense, of the parameter's shape, complex where the parameter is.
        momentum_dtype: How to keep it; None keeps it as it is, in its own dtype.
        param: Whose momentum it is; only its shape and dtype are read.

    Returns:
        ``exp_avg`` or, of parameters that `codec` codes, ``exp_avg_codes`` and ``exp_avg_scales``: 1-dimensional,
        in row-major order of the parameter; the two parts of a complex number are neighbours.

    Example:
        >>> import torch
        >>> from lionkit import momentum
        >>> weight = torch.ones(64, 64)
        >>> state = momentum.encode_state(0.1 * weight, "int4", weight)
        >>> {name: (tensor.dtype, *tensor.shape) for name, tensor in state.items()}
        {'exp_avg_codes': (torch.uint8, 2048), 'exp_avg_scales': (torch.bfloat16, 32)}
    """
    if momentum_dtype is None:
        return {DENSE: momentum}
    found = codec(momentum_dtype, param)
    if found is None:
        return {DENSE: momentum.to(dense_dtype(momentum_dtype, param))}
    codes, scales = found.encode(_real(momentum).to(torch.float32))
    return {CODES: codes, SCALES: scales}


def decode_state(state: Mapping[str, Any], param: Tensor) -> Tensor:
    """Return the dense momentum in a parameter's state: ``exp_avg`` as it is, codes as float32 or complex64.

    Args:
        state: As any Lion keeps it, or with codes of either width.
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
    if CODES not in state or SCALES not in state:
        raise ValueError(f"Invalid state: it has {sorted(state)}, it must have {DENSE!r}, or {CODES!r} and {SCALES!r}")
    real = _real(param)
    decoded = _codec_of(state, real.numel()).decode(state[CODES], state[SCALES], real.shape)
    return torch.view_as_complex(decoded) if param.is_complex() else decoded


def dense_state_dict(state_dict: Mapping[str, Any], params: ParamsT) -> dict[str, Any]:
    """Return a state dict in which every coded momentum is a float32 ``exp_avg``: for any other Lion.

    Codes have no shape, so the parameters must say it. Everything else is passed on as it is; nothing is copied
    but what is decoded. A momentum of ``int8`` or ``int4`` is named ``float32`` in the groups, as it now is.

    Args:
        state_dict: Of an optimizer of this library.
        params: What that optimizer was made of, or its ``param_groups``: parameters, named parameters or groups.

    Raises:
        ValueError: there are not as many parameters as the state dict has, or a state does not fit its parameter.

    Example:
        >>> import torch, lionkit
        >>> from lionkit import momentum
        >>> weight = torch.nn.Parameter(torch.ones(64, 64))
        >>> optimizer = lionkit.Lion([weight], lr=1e-3, weight_decay=0.1, momentum_dtype="int8")
        >>> weight.square().sum().backward()
        >>> optimizer.step()
        >>> plain = momentum.dense_state_dict(optimizer.state_dict(), [weight])
        >>> plain["state"][0]["exp_avg"].shape
        torch.Size([64, 64])
    """
    ids = [id_ for group in state_dict["param_groups"] for id_ in group["params"]]
    tensors = list(_tensors(params))
    if len(ids) != len(tensors):
        raise ValueError(f"Invalid params: there are {len(tensors)}, the state dict is of {len(ids)}")
    states = dict(state_dict["state"])
    for id_, param in zip(ids, tensors, strict=True):
        if CODES in states.get(id_, {}):
            others = {name: value for name, value in states[id_].items() if name not in (CODES, SCALES)}
            states[id_] = {DENSE: decode_state(states[id_], param), **others}
    return {**state_dict, "state": states, "param_groups": [_dense_group(it) for it in state_dict["param_groups"]]}


def _dense_group(group: Mapping[str, Any]) -> dict[str, Any]:
    return {**group, "momentum_dtype": "float32"} if group.get("momentum_dtype") in CODECS else dict(group)


def _codec_of(state: Mapping[str, Any], numel: int) -> Blockwise:
    """Return the codec by which a state was coded, once codes and scales are as it would have left them."""
    codes, scales = state[CODES], state[SCALES]
    found = next((it for it in CODECS.values() if it.code_dtype == codes.dtype), None)
    if found is None:
        raise ValueError(f"Invalid {CODES}: their dtype is {codes.dtype}, it must be torch.int8 or torch.uint8")
    if codes.shape != (found.num_codes(numel),):
        must = f"it must be {(found.num_codes(numel),)} for {numel} coordinates"
        raise ValueError(f"Invalid {CODES}: their shape is {tuple(codes.shape)}, {must}")
    if scales.dtype is not torch.bfloat16:
        raise ValueError(f"Invalid {SCALES}: their dtype is {scales.dtype}, it must be torch.bfloat16")
    if scales.shape != (found.num_scales(numel),):
        must = f"it must be {(found.num_scales(numel),)}, one a block of 128"
        raise ValueError(f"Invalid {SCALES}: their shape is {tuple(scales.shape)}, {must}")
    return found


def _tensors(params: ParamsT) -> Iterator[Tensor]:
    """Yield the tensors among parameters, named parameters or groups of either."""
    for param in params:
        if isinstance(param, dict):
            yield from _tensors(param["params"])
        else:
            yield param[1] if isinstance(param, tuple) else param


def _real(tensor: Tensor) -> Tensor:
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor
