"""What a checkpoint holds of the optimizer: one state, or of processes that agree one for each."""

from typing import Any

import torch
from torch import Tensor

from lionkit.distributed import merge_momenta
from lionkit_lab.checkpoint import Saved
from lionkit_lab.errors import UsageError
from lionkit_lab.state._training import TrainingState

Kept = dict[int, dict[str, Any]]
"""What is kept of each parameter, by its number in the optimizer's state dict."""


def tensors_of(state: TrainingState, kept: Kept) -> dict[str, Tensor]:
    """Return the tensors that this process saves, by the names that they have in a checkpoint.

    Args:
        state: The run's.
        kept: The optimizer's.
    """
    engine, names = state.engine, _names(state)
    where = "" if engine.workers is None else _folder(engine.processes.rank)
    return {
        f"{where}{names[number]}/{key}": value
        for number, own in kept.items()
        for key, value in own.items()
        if isinstance(value, Tensor)
    }


def optimizer_state(state: TrainingState, saved: Saved) -> dict[str, Any]:
    """Return the optimizer's state dict for this process.

    Args:
        state: The run's.
        saved: With the states of as many workers as there were when it was saved.

    Raises:
        UsageError: There were more or fewer, and the recipe does not say with which momenta to go on.
        RunError: They cannot be read.
    """
    engine, groups, momenta = state.engine, saved.rest["groups"], state.engine.settings.momenta
    workers = resized_from(state, saved)
    if workers is None:
        where = "" if engine.workers is None else _folder(engine.processes.rank)
        return {"state": _read(state, saved, where), "param_groups": groups}
    if momenta == "refuse":
        found = f"the checkpoint has the momenta of {workers} processes, and there are {engine.workers}"
        ways = f'start {workers}, or go on with "average", their mean, or "restart", zeros'
        raise UsageError(f'engine.momenta: "refuse" is not allowed here: {found}; {ways}')
    # Zeros are of the form of any.
    states = [_read(state, saved, _folder(rank)) for rank in range(workers if momenta == "average" else 1)]
    return merge_momenta([{"state": kept, "param_groups": groups} for kept in states], momenta)


def resized_from(state: TrainingState, saved: Saved) -> int | None:
    """Return how many processes have agreed so far where another number goes on; None where as many do."""
    workers: int | None = saved.rest.get("workers")  # which a checkpoint of before there were any does not have
    # Before the first step nobody has a momentum.
    return None if workers == state.engine.workers or not saved.step else workers


def _folder(rank: int) -> str:
    return f"worker {rank}/"


def _read(state: TrainingState, saved: Saved, where: str) -> Kept:
    """Return what stands in the checkpoint below a folder of its tensors, and what it has beside them."""
    numbers = {name: number for number, name in _names(state).items()}
    params = dict(state.model.named_parameters())

    def like(name: str, shape: torch.Size, dtype: torch.dtype) -> Tensor:
        param = params[name.rpartition("/")[0]]
        # What has the weight's shape is in shards where the weight is; a count of steps, or codes, are not.
        return torch.zeros_like(param, dtype=dtype) if shape == param.shape else torch.zeros(shape, dtype=dtype)

    kept: Kept = {}
    for name, tensor in saved.tensors(like, state.engine.is_sharded, where).items():
        param, _, key = name.rpartition("/")
        kept.setdefault(numbers[param], {})[key] = tensor.detach()
    for (number, key), value in saved.rest["values"].items():
        kept.setdefault(number, {})[key] = value
    return kept


def _names(state: TrainingState) -> dict[int, str]:
    """Return each parameter's name by its number in the optimizer's state dict."""
    names = {param: name for name, param in state.model.named_parameters()}
    params = (param for group in state.optimizer.param_groups for param in group["params"])
    return {number: names[param] for number, param in enumerate(params)}
