"""What a `state_dict` must not lose: the kappa of each group, the dtype and the codes of each momentum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from lionkit.kappa import Kappa
from lionkit.momentum import CODES, SCALES, codec, decode_state, encode_state
from lionkit.optim._state import COMPENSATION, codec_of, is_half


@contextmanager
def kappas_described(optimizer: Optimizer) -> Iterator[None]:
    """Let `state_dict` keep the ``repr`` of every group's kappa: plain data, which `weights_only` loading takes.

    It happens in a hook that runs before the user's own, which then see what is saved.
    """

    def describe(_: Optimizer, state_dict: dict[str, Any]) -> None:
        for group in state_dict["param_groups"]:
            group["kappa"] = repr(group["kappa"])

    handle = optimizer.register_state_dict_post_hook(describe, prepend=True)
    try:
        yield
    finally:
        handle.remove()


def own_kappa(own: Kappa, saved: Kappa | str | None) -> Kappa:
    """Return the kappa that a group goes on with after a load: always its own.

    Raises:
        ValueError: the state was saved with another one; a state that names none fits any.
    """
    if saved is not None and str(saved) != repr(own):
        raise ValueError(f"the state_dict was saved with kappa={saved}, this optimizer has kappa={own!r}")
    return own


@contextmanager
def states_converted(optimizer: Optimizer) -> Iterator[None]:
    """Load every parameter's state into the form that its group keeps it in, and nothing else of it.

    torch's own `load_state_dict` would cast a float32 momentum of bfloat16 weights down at every resume, codes
    to floating point, and keep AdamW's second moment for good. One hook takes the saved states out after the
    user's pre-hooks, all converted before anything is written; another puts them in place before the user's
    post-hooks.
    """
    loaded: dict[Tensor, dict[str, Tensor]] = {}

    def take(optimizer: Optimizer, state_dict: dict[str, Any]) -> dict[str, Any]:
        own, saved = optimizer.param_groups, state_dict["param_groups"]
        if [len(group["params"]) for group in own] == [len(group["params"]) for group in saved]:  # or torch refuses
            ids = chain.from_iterable(group["params"] for group in saved)
            places = ((group, param) for group in own for param in group["params"])
            for id_, (group, param) in zip(ids, places, strict=True):
                if state_dict["state"].get(id_):
                    loaded[param] = _converted(id_, state_dict["state"][id_], group, param)
        return {**state_dict, "state": {}}

    def put(optimizer: Optimizer) -> None:
        optimizer.state.update(loaded)

    handles = [
        optimizer.register_load_state_dict_pre_hook(take),
        optimizer.register_load_state_dict_post_hook(put, prepend=True),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _converted(id_: int, saved: Mapping[str, Any], group: Mapping[str, Any], param: Tensor) -> dict[str, Tensor]:
    """Return the state of one parameter, as its group keeps it; tensors of its own."""
    try:
        momentum = decode_state(saved, param)
        compensation = _saved_compensation(saved, param)
    except ValueError as error:
        raise ValueError(f"the state of parameter {id_}: {error}") from None
    own = codec(group["momentum_dtype"], param)
    if own is not None and CODES in saved and codec_of(saved[CODES]) == own:  # as they are: a resume keeps all bits
        state = {CODES: saved[CODES], SCALES: saved[SCALES]}
    else:
        state = encode_state(momentum, group["momentum_dtype"], param)
    if compensation is not None and group["weight_rounding"] == "kahan":
        state[COMPENSATION] = compensation
    return {name: tensor.to(param.device, copy=True) for name, tensor in state.items()}


def _saved_compensation(saved: Mapping[str, Any], param: Tensor) -> Tensor | None:
    """Return what a weight of this dtype lost in its roundings; of another dtype it would be another weight's."""
    compensation = saved.get(COMPENSATION)
    if compensation is None or not is_half(param) or compensation.dtype != param.dtype:
        return None
    if compensation.shape != param.shape:
        raise ValueError(
            f"Invalid {COMPENSATION}: its shape is {tuple(compensation.shape)}, "
            f"it must be {tuple(param.shape)}, the parameter's"
        )
    return compensation
