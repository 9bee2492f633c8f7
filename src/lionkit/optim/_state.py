"""What a `state_dict` must not lose: the kappa of each group, the dtype of each momentum."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

from torch.optim import Optimizer

from lionkit.kappa import Kappa


def describe_kappas(state_dict: dict[str, Any]) -> dict[str, Any]:
    """Put the ``repr`` of every group's kappa in its place: plain data, which `weights_only` loading takes."""
    groups = [{**group, "kappa": repr(group["kappa"])} for group in state_dict["param_groups"]]
    return {**state_dict, "param_groups": groups}


def own_kappa(own: Kappa, saved: str | None) -> Kappa:
    """Return the kappa that a group goes on with after a load: always its own.

    Raises:
        ValueError: the state was saved with another one; a state that names none fits any.
    """
    if saved not in (None, repr(own)):
        raise ValueError(f"the state_dict was saved with kappa={saved}, this optimizer has kappa={own!r}")
    return own


@contextmanager
def keep_momentum_dtype(optimizer: Optimizer) -> Iterator[None]:
    """Undo the cast of ``exp_avg`` to the parameter's dtype that torch's `load_state_dict` makes.

    A float32 momentum of bfloat16 weights would lose its low bits at every resume. The saved tensors are
    caught by a pre-hook that runs after the user's own.
    """
    loaded: dict[str, Any] = {}
    handle = optimizer.register_load_state_dict_pre_hook(lambda _, state_dict: loaded.update(state_dict))
    try:
        yield
    finally:
        handle.remove()
    ids = chain.from_iterable(group["params"] for group in loaded["param_groups"])
    params = chain.from_iterable(group["params"] for group in optimizer.param_groups)
    for id_, param in zip(ids, params, strict=True):
        saved = loaded["state"].get(id_, {}).get("exp_avg")
        if saved is not None and saved.dtype != optimizer.state[param]["exp_avg"].dtype:
            optimizer.state[param]["exp_avg"] = saved.to(param.device)
