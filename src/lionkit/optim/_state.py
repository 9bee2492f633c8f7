"""What a `state_dict` must not lose: the kappa of each group, the dtype of each momentum."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

from torch.optim import Optimizer

from lionkit.kappa import Kappa


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
def momentum_dtype_kept(optimizer: Optimizer) -> Iterator[None]:
    """Load ``exp_avg`` as it was saved, without the cast to the parameter's dtype that torch's `load_state_dict` makes.

    A float32 momentum of bfloat16 weights would lose its low bits at every resume. One hook catches the saved
    tensors after the user's pre-hooks, another puts them in place before the user's post-hooks.
    """
    saved: dict[str, Any] = {}

    def catch(_: Optimizer, state_dict: dict[str, Any]) -> None:
        for id_, state in state_dict["state"].items():
            if state and "exp_avg" not in state:
                raise ValueError(
                    f"the state of parameter {id_} has {sorted(state)}, it must have 'exp_avg', the momentum"
                )
        saved.update(state_dict)

    def restore(optimizer: Optimizer) -> None:
        ids = chain.from_iterable(group["params"] for group in saved["param_groups"])
        params = chain.from_iterable(group["params"] for group in optimizer.param_groups)
        for id_, param in zip(ids, params, strict=True):
            if saved["state"].get(id_):
                momentum = saved["state"][id_]["exp_avg"]
                # Nothing else is kept: AdamW's second moment would take its memory along for good.
                optimizer.state[param] = {"exp_avg": momentum.to(param.device, copy=True)}

    handles = [
        optimizer.register_load_state_dict_pre_hook(catch),
        optimizer.register_load_state_dict_post_hook(restore, prepend=True),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
