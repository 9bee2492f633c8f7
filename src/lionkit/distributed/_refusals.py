"""What workers refuse to vote on, and that they all refuse it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from lionkit.distributed._checksum import first_difference_among
from lionkit.distributed._mode import Mode, ModeOfValues
from lionkit.kappa import L1, TruncatedL1
from lionkit.optim import LionK

WITH_A_CODE = (L1, TruncatedL1)
"""The elementwise kappas whose direction is -1, 0 or 1."""

_MOST_WORKERS = 16383  # twice as many votes still fit into 16 bits
_EMPTY_SEATS = ("gradient", "direction", "momentum_rank")
_UNSEEN = {"params", "param_names", "agreement"}  # what need not be the same, or is compared otherwise


def process_group_of(model: nn.Module) -> dist.ProcessGroup:
    """Return the processes that must agree on whether to agree.

    Raises:
        RuntimeError: there are none.
        ValueError: they cannot vote, which each of them sees by itself.
    """
    if not (dist.is_available() and dist.is_initialized()):
        raise RuntimeError("there is no process group: call torch.distributed.init_process_group, or use torchrun")
    group = model.process_group if isinstance(model, DistributedDataParallel) else dist.group.WORLD
    assert group is not None
    backend, size = dist.get_backend(group), dist.get_world_size(group)
    if backend != "gloo":
        raise ValueError(f"Invalid process group: its backend is {backend}, it must be gloo")
    if size > _MOST_WORKERS:
        raise ValueError(f"Invalid process group: of {size} processes, it must be of at most {_MOST_WORKERS}")
    return group


def refusal(model: nn.Module, optimizer: Optimizer, mode: Mode, check_every: int | None) -> str | None:
    """Say why this process cannot vote, or return None where it can."""
    reasons = chain(_of_the_model(model), optimizer_refusals(optimizer, mode), _of_the_interval(check_every))
    first = next(reasons, None)
    if first is None:
        assert isinstance(model, DistributedDataParallel)
        first = next(_of_both(model, optimizer), None)
    return first


def _of_the_model(model: nn.Module) -> Iterator[str]:
    if not isinstance(model, DistributedDataParallel):
        yield f"Invalid model: a {type(model).__name__}, it must be wrapped in DistributedDataParallel"
        return
    if any(isinstance(module, DistributedDataParallel) for module in model.module.modules()):
        yield "Invalid model: a DistributedDataParallel in another, it must be wrapped once"
    if model._comm_hooks:
        yield "Invalid model: it has a communication hook, it must have none: agree() once, on a new wrapper"
    if model.mixed_precision is not None:
        yield "Invalid model: its buckets mix precisions (mixed_precision), they must have their parameters' dtype"
    for name, module in model.module.named_modules():
        if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.sparse:
            yield f"Invalid model: the gradients of {name} are sparse, they must be dense: sparse=False"


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


def _of_both(model: DistributedDataParallel, optimizer: Optimizer) -> Iterator[str]:
    trained = dict(trained_parameters(model))
    stepped = {param for group in optimizer.param_groups for param in group["params"]}
    for name, param in trained.items():
        if param not in stepped:
            yield f"Invalid optimizer: it lacks {name}, it must have every parameter of the model that is trained"
        if param.is_complex() or not param.is_cpu:
            yield f"Invalid {name}: {param.dtype} on {param.device}, it must be real and on the CPU"
    if strange := stepped - set(trained.values()) - {param for param in model.parameters() if not param.requires_grad}:
        shape = tuple(next(iter(strange)).shape)
        yield f"Invalid optimizer: a parameter of shape {shape} is not the model's, or DDP ignores it"


def trained_parameters(model: DistributedDataParallel) -> Iterable[tuple[str, Tensor]]:
    """Return the names and parameters that DDP has gradients of."""
    for name, param in model.module.named_parameters():
        if param.requires_grad and name not in model.parameters_to_ignore:
            yield name, param


def require_agreement(
    group: dist.ProcessGroup, refused: str | None, model: nn.Module, optimizer: Optimizer, mode: Mode
) -> None:
    """Raise on every process where one of them refuses, or is not set up as the others.

    Raises:
        ValueError: with the rank, what differs and how.
    """
    told: list[Any] = [None] * dist.get_world_size(group)
    own = None if refused else _described(model, optimizer, mode)
    dist.all_gather_object(told, (refused, own), group=group)
    for rank, (reason, _) in enumerate(told):
        if reason:
            raise ValueError(reason if len(told) == 1 else f"rank {rank}: {reason}")
    first = told[0][1]
    for rank, (_, other) in enumerate(told):
        for name in first | other:
            if first.get(name) != other.get(name):
                raise ValueError(f"Invalid {name}: rank {rank} has {other.get(name)}, rank 0 has {first.get(name)}")
    _require_same_start(group, model)


def _described(model: nn.Module, optimizer: Optimizer, mode: Mode) -> dict[str, str]:
    """Return what must be the same on all processes, in words."""
    assert isinstance(model, DistributedDataParallel)
    names = {param: name for name, param in model.module.named_parameters()}
    found = {"mode": repr(mode), "number of groups": str(len(optimizer.param_groups))}
    for index, group in enumerate(optimizer.param_groups):
        options = {name: value for name, value in group.items() if name not in _UNSEEN}
        found |= {f"{name} of group {index}": _plain(value) for name, value in options.items()}
        found[f"parameters of group {index}"] = ", ".join(names.get(param, "?") for param in group["params"])
    for name, param in trained_parameters(model):
        found[name] = f"{param.dtype} of shape {tuple(param.shape)}"
    return found


def _plain(value: Any) -> str:
    return repr(value.item() if isinstance(value, Tensor) else value)


def _require_same_start(group: dist.ProcessGroup, model: nn.Module) -> None:
    assert isinstance(model, DistributedDataParallel)
    names, params = zip(*trained_parameters(model), strict=True)
    difference = first_difference_among(params, group)
    if difference is not None:
        (rank, *_), index = difference
        raise ValueError(f"Invalid weights: rank {rank} starts from others than most: the first is {names[index]}")
