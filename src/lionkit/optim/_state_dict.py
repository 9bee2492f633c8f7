"""What a `state_dict` must not lose: the seats of each group, the dtype and the codes of each momentum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any, Final

from torch import Tensor
from torch.optim import Optimizer

from lionkit.kernels import step_key
from lionkit.momentum import convert_state
from lionkit.momentum._shards import as_spread
from lionkit.optim._decay import remember_lr
from lionkit.optim._fit import refuses_fused
from lionkit.optim._options import check_options
from lionkit.optim._state import COMPENSATION, is_half, real

SEATS: Final = ("kappa", "gradient", "direction")
"""The options that are objects: a `state_dict` has their ``repr``, and None where a seat is empty."""


@contextmanager
def seats_described(optimizer: Optimizer) -> Iterator[None]:
    """Let `state_dict` keep the ``repr`` of what fills every group's seats: plain data, which `weights_only` takes.

    It happens in a hook that runs before the user's own, which then see what is saved.
    """

    def describe(_: Optimizer, state_dict: dict[str, Any]) -> None:
        for group in state_dict["param_groups"]:
            group.update({name: _described(group[name]) for name in (*SEATS, "agreement")})

    handle = optimizer.register_state_dict_post_hook(describe, prepend=True)
    try:
        yield
    finally:
        handle.remove()


def complete_group(loaded: dict[str, Any], own: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Make a group that comes from a file, or from a copy, one of this optimizer.

    Args:
        loaded: The group that comes; what it lacks is filled in.
        own: The group in whose place it comes: how momentum and weights are kept, and the seats, are its.
        defaults: The optimizer's options.

    Raises:
        ValueError: the group was saved with another seat, or an option is out of its range.
    """
    for name in SEATS:
        loaded[name] = _own_seat(name, own.get(name, defaults[name]), loaded.get(name))
    for name in ("momentum_dtype", "momentum_rank", "weight_rounding", "agreement"):
        loaded[name] = own.get(name, defaults[name])
    if loaded.get("foreach"):  # what the file says of one backend excludes the default of the other
        loaded.setdefault("fused", None)
    for name, default in defaults.items():
        loaded.setdefault(name, default)
    # Saved where there was a kernel for them, as by a fused AdamW on another device.
    if loaded["fused"] and refuses_fused(loaded, loaded["params"]):
        loaded["fused"] = None
    if loaded["reference_lr"] is None:
        loaded["reference_lr"] = own.get("reference_lr")
    check_options(loaded)
    remember_lr(loaded)


def _own_seat(name: str, own: Any, saved: Any) -> Any:
    """Return what fills a group's seat after a load, always its own; a state that names none fits any."""
    if saved is not None and str(saved) != repr(own):
        raise ValueError(f"the state_dict was saved with {name}={saved}, this optimizer has {name}={own!r}")
    return own


def _described(seat: Any) -> str | None:
    return None if seat is None else repr(seat)


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
            for number, (id_, (group, param)) in enumerate(zip(ids, places, strict=True)):
                if state_dict["state"].get(id_):
                    key = step_key(group["seed"], number)  # the ids of torch.distributed.checkpoint are names
                    loaded[param] = _converted(id_, state_dict["state"][id_], group, param, key)
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


def _converted(
    id_: int | str, saved: Mapping[str, Any], group: Mapping[str, Any], param: Tensor, key: int
) -> dict[str, Tensor]:
    """Return the state of one parameter, as its group keeps it; tensors of its own."""
    saved = {name: as_spread(value, param) for name, value in saved.items()}
    try:
        # A worker that has always abstained has a compensation alone, since its weight moves too.
        alone = set(saved) == {COMPENSATION}
        state = {} if alone else convert_state(saved, group["momentum_dtype"], param, group["momentum_rank"], key=key)
        compensation = _saved_compensation(saved, param)
        state.update(_of_seats(saved, group, param))
    except ValueError as error:
        raise ValueError(f"the state of parameter {id_}: {error}") from None
    if compensation is not None and group["weight_rounding"] == "kahan":
        state[COMPENSATION] = compensation
    return {name: tensor.to(param.device, copy=True) for name, tensor in state.items()}


def _of_seats(saved: Mapping[str, Any], group: Mapping[str, Any], param: Tensor) -> dict[str, Tensor]:
    """Return what the group's seats have kept of the parameter; what another's have is left out."""
    (shaped,) = real([param])
    seats = [group[name] for name in ("gradient", "direction") if group[name] is not None]
    found = {name: saved[name] for seat in seats for name in seat.state_names if name in saved}
    for name, tensor in found.items():
        if tensor.shape not in (param.shape, shaped.shape):
            raise ValueError(f"Invalid {name}: its shape is {tuple(tensor.shape)}, it must be {tuple(param.shape)}")
    return found


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
