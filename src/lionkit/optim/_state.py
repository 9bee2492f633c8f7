"""What an optimizer keeps of each parameter, as a step takes it."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, is_
from typing import Any

import torch
from torch import Tensor

from lionkit.momentum import CODES, DENSE, SCALES, codec, dense_dtype, encode_state, zero_state

State = MutableMapping[Tensor, dict[str, Any]]

COMPENSATION = "compensation"
_NOTHING = torch.empty(0, device="cpu")
_HALVES = (torch.bfloat16, torch.float16)
_dtype_of = attrgetter("dtype")


@dataclass(frozen=True, slots=True)
class Operands:
    """The tensors of one step of a group, real ones.

    Attributes:
        params: The parameters that have a gradient.
        grads: Their gradients.
        momenta: Their momenta; codes where ``scales`` has scales.
        scales: Empty where every momentum is dense, else one a parameter: an empty tensor where it is dense.
        compensations: Empty, or one a parameter: an empty tensor where it has none.
        states: What the optimizer keeps of each parameter.
        places: Empty, or where each shard's coordinates are in the whole parameter; None where all are here.
    """

    params: list[Tensor]
    grads: list[Tensor]
    momenta: list[Tensor]
    scales: Sequence[Tensor] = ()
    compensations: Sequence[Tensor] = ()
    states: Sequence[dict[str, Any]] = ()
    places: Sequence[Tensor | None] = ()


def is_half(param: Tensor) -> bool:
    """Whether the weights have half precision, and so a rounding of their own."""
    return param.dtype.to_real() in _HALVES


def operands(
    group: Mapping[str, Any], params: list[Tensor], grads: list[Tensor], state: State, grad_scale: Tensor | None
) -> Operands:
    """Find the state of each parameter, and make what is not there yet."""
    scales = ()
    states = _states(params, state)
    try:
        momenta = [kept[DENSE] for kept in states]
    except KeyError:  # of the first step, or codes
        _begin(group, params, grads, states, grad_scale)
        momenta, scales = _momenta(states)
    compensations = compensations_of(group, params, states)
    if any(dtype.is_complex for dtype in set(map(_dtype_of, params))):
        params, grads, momenta = real(params), real(grads), real(momenta)
        compensations = real(compensations)
    return Operands(params, grads, momenta, scales, compensations, states)


def compensations_of(
    group: Mapping[str, Any], params: Sequence[Tensor], states: Sequence[dict[str, Any]]
) -> Sequence[Tensor]:
    """Find what Kahan rounding has kept back from each parameter, where the group rounds so."""
    if group["weight_rounding"] != "kahan":
        return ()
    return [_compensation(param, kept) for param, kept in zip(params, states, strict=True)]


def real(tensors: Sequence[Tensor]) -> list[Tensor]:
    """View complex tensors as pairs of reals: what a backend steps."""
    return [torch.view_as_real(tensor) if tensor.is_complex() else tensor for tensor in tensors]


def _states(params: list[Tensor], state: State) -> list[dict[str, Any]]:
    """Look every parameter up; thousands in their own order, of one group, are there without a hash of each."""
    if len(state) == len(params) and all(map(is_, state, params)):
        return list(state.values())
    return [state[param] for param in params]


def _begin(
    group: Mapping[str, Any],
    params: list[Tensor],
    grads: list[Tensor],
    states: list[dict[str, Any]],
    grad_scale: Tensor | None,
) -> None:
    """Make m0 where there is no momentum yet."""
    for param, grad, kept in zip(params, grads, states, strict=True):
        if DENSE not in kept and CODES not in kept:
            kept.update(_first(group, param, grad, grad_scale))


def _momenta(states: list[dict[str, Any]]) -> tuple[list[Tensor], Sequence[Tensor]]:
    momenta = [kept[DENSE] if DENSE in kept else kept[CODES] for kept in states]
    scales = [kept.get(SCALES, _NOTHING) for kept in states]
    return momenta, scales if any(SCALES in kept for kept in states) else ()


def _first(group: Mapping[str, Any], param: Tensor, grad: Tensor, grad_scale: Tensor | None) -> dict[str, Tensor]:
    """Return the state of m0."""
    if group["momentum_init"] == "zeros":
        return zero_state(group["momentum_dtype"], param)
    name = group["momentum_dtype"]
    if grad_scale is None:
        first = grad.clone()
    else:  # in float32, where a scaled half precision would underflow
        first = grad.to(torch.promote_types(grad.dtype, torch.float32)) / grad_scale
        first = first if codec(name, param) else first.to(dense_dtype(name, param))
    return encode_state(first.neg_() if group["maximize"] else first, name, param)


def _compensation(param: Tensor, kept: dict[str, Any]) -> Tensor:
    if not is_half(param):
        return _NOTHING
    if COMPENSATION not in kept:
        kept[COMPENSATION] = torch.zeros_like(param, memory_format=torch.preserve_format)
    return kept[COMPENSATION]
