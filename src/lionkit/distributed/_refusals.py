"""What workers refuse to vote on, and that they all refuse it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import torch.distributed as dist
from torch import Tensor
from torch.optim import Optimizer

from lionkit.distributed._checksum import first_difference_among
from lionkit.distributed._mode import Mode, ModeOfValues
from lionkit.distributed._team import Team
from lionkit.kappa import L1, TruncatedL1
from lionkit.optim import LionK

WITH_A_CODE = (L1, TruncatedL1)
"""The elementwise kappas whose direction is -1, 0 or 1."""

_EMPTY_SEATS = ("gradient", "direction", "momentum_rank")
_UNSEEN = {"params", "param_names", "agreement"}  # what need not be the same, or is compared otherwise


def refusal(team: Team, optimizer: Optimizer, mode: Mode, check_every: int | None) -> str | None:
    """Say why this process cannot vote, or return None where it can."""
    reasons = chain(team.refusals(), optimizer_refusals(optimizer, mode), _of_the_interval(check_every))
    first = next(reasons, None)
    return next(_of_both(team, optimizer), None) if first is None else first


def optimizer_refusals(optimizer: Optimizer, mode: Mode) -> Iterator[str]:
    """Say what of an optimizer and a mode does not fit workers that agree, whoever they are."""
    if not isinstance(mode, Mode):
        yield f"Invalid mode: {mode!r}, it must be a lionkit.distributed.Mode such as Vote()"
    if not isinstance(optimizer, LionK):
        yield f"Invalid optimizer: a {type(optimizer).__name__}, it must be a lionkit.LionK or a member"
        return
    for index, group in enumerate(optimizer.param_groups):
        kappa = group["kappa"]
        if group["agreement"] is not None:
            yield f"Invalid optimizer: group {index} has agreed to {group['agreement']!r}, it must be None"
        if not isinstance(kappa, WITH_A_CODE):
            names = " or ".join(kind.__name__ for kind in WITH_A_CODE)
            yield f"Invalid kappa: {kappa!r} of group {index}, its direction has no code, it must be {names}"
        for name in _EMPTY_SEATS:
            if group[name] is not None:
                yield f"Invalid {name}: {group[name]!r} of group {index}, it must be None where workers agree"
        if group["differentiable"] or group["capturable"]:
            yield f"Invalid differentiable or capturable: True of group {index}, they must be False where workers agree"
    if isinstance(mode, ModeOfValues) and len({group["kappa"] for group in optimizer.param_groups}) > 1:
        yield f"Invalid kappa: groups have different ones, they must have the same where workers agree by {mode!r}"


def _of_the_interval(check_every: int | None) -> Iterator[str]:
    if not (check_every is None or (isinstance(check_every, int) and check_every >= 1)):
        yield f"Invalid check_every: {check_every!r}, it must be None or an integer of at least 1"


def _of_both(team: Team, optimizer: Optimizer) -> Iterator[str]:
    trained = dict(team.trained())
    stepped = {param for group in optimizer.param_groups for param in group["params"]}
    for name, param in trained.items():
        if param not in stepped:
            yield f"Invalid optimizer: it lacks {name}, it must have every parameter of the model that is trained"
        if param.is_complex() or not param.is_cpu:
            yield f"Invalid {name}: {param.dtype} on {param.device}, it must be real and on the CPU"
    still = {param for _, param in team.named_parameters() if not param.requires_grad}
    if strange := stepped - set(trained.values()) - still:
        shape = tuple(next(iter(strange)).shape)
        yield f"Invalid optimizer: a parameter of shape {shape} is not the model's, or is left out of its training"


def require_agreement(
    team: Team, refused: str | None, optimizer: Optimizer, mode: Mode, check_every: int | None
) -> list[list[int]]:
    """Raise on every process where one of them refuses, or is not set up as the others.

    Returns:
        The ranks that hold the same weights, list by list.

    Raises:
        ValueError: with the rank, what differs and how.
    """
    told: list[Any] = [None] * dist.get_world_size(team.group)
    own = None if refused else (_described(team, optimizer, mode) | {"check_every": repr(check_every)}, team.held())
    dist.all_gather_object(told, (refused, own), group=team.group)
    for rank, (reason, _) in enumerate(told):
        if reason:
            raise ValueError(reason if len(told) == 1 else f"rank {rank}: {reason}")
    described, held = zip(*(found for _, found in told), strict=True)
    for rank, other in enumerate(described):
        for name in described[0] | other:
            if described[0].get(name) != other.get(name):
                here, there = other.get(name), described[0].get(name)
                raise ValueError(f"Invalid {name}: rank {rank} has {here}, rank 0 has {there}")
    copies = _copies(held)
    _require_same_start(team, copies)
    return copies


def _described(team: Team, optimizer: Optimizer, mode: Mode) -> dict[str, str]:
    """Return what must be the same on all processes, in words."""
    names = {param: name for name, param in team.named_parameters()}
    found = {
        "model": type(team.model).__name__,
        "mode": repr(mode),
        "number of groups": str(len(optimizer.param_groups)),
    }
    for index, group in enumerate(optimizer.param_groups):
        options = {name: value for name, value in group.items() if name not in _UNSEEN}
        found |= {f"{name} of group {index}": _plain(value) for name, value in options.items()}
        found[f"parameters of group {index}"] = ", ".join(names.get(param, "?") for param in group["params"])
    for name, param in team.trained():
        found[name] = f"{param.dtype} of shape {tuple(param.shape)}"
    return found


def _plain(value: Any) -> str:
    return repr(value.item() if isinstance(value, Tensor) else value)


def _copies(held: Sequence[tuple[int, list[int]]]) -> list[list[int]]:
    """Return who votes together, list by list; raise where not all of these hold the same shard."""
    for rank, (shard, others) in enumerate(held):
        for other in others:
            if held[other][0] != shard:
                words = f"rank {other} has shard {held[other][0]}, rank {rank} has {shard}"
                raise ValueError(f"Invalid replicas: {words}, those that vote together must hold the same shard")
    return [list(ranks) for ranks in sorted({tuple(others) for _, others in held})]


def _require_same_start(team: Team, copies: Sequence[Sequence[int]]) -> None:
    names, params = zip(*team.trained(), strict=True)
    difference = first_difference_among(params, team.group, copies)
    if difference is not None:
        (rank, *_), index = difference
        raise ValueError(f"Invalid weights: rank {rank} starts from others than most: the first is {names[index]}")
