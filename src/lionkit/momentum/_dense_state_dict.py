"""A state dict that any other Lion loads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor
from torch.optim.optimizer import ParamsT

from lionkit.momentum._dtypes import CODECS
from lionkit.momentum._low_rank import FACTORS, LEFT
from lionkit.momentum._state import CODES, DENSE, SCALES, decode_state


def dense_state_dict(state_dict: Mapping[str, Any], params: ParamsT) -> dict[str, Any]:
    """Return a state dict in which every momentum of codes or factors is an ``exp_avg``: for any other Lion.

    Codes have no shape, so the parameters must say it. Everything else is passed on as it is; nothing is copied
    but what is decoded. The groups name what the momentum now is: ``float32`` for codes, no rank for factors.

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
        kept = states.get(id_, {})
        if CODES in kept or LEFT in kept:
            others = {name: value for name, value in kept.items() if name not in (CODES, SCALES, *FACTORS)}
            states[id_] = {DENSE: decode_state(kept, param), **others}
    return {**state_dict, "state": states, "param_groups": [_dense_group(it) for it in state_dict["param_groups"]]}


def _dense_group(group: Mapping[str, Any]) -> dict[str, Any]:
    names = {"momentum_dtype": "float32"} if group.get("momentum_dtype") in CODECS else {}
    return {**group, **names, **({"momentum_rank": None} if "momentum_rank" in group else {})}


def _tensors(params: ParamsT) -> Iterator[Tensor]:
    """Yield the tensors among parameters, named parameters or groups of either."""
    for param in params:
        if isinstance(param, dict):
            yield from _tensors(param["params"])
        else:
            yield param[1] if isinstance(param, tuple) else param
