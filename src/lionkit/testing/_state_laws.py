"""The laws of an optimizer's state: that it is all there is to go on from, in a file and in a copy."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lionkit.testing._checks import require, require_same
from lionkit.testing._trial import Trial, take_steps, values_of


def resumes_to_the_bit(trial: Trial) -> None:
    """After a state_dict in a file that `weights_only` loads, whose options win; saving and loading change nothing."""
    optimizer, params = trial.start()
    take_steps(optimizer, params, 3)
    saved = optimizer.state_dict()
    kept, file = deepcopy(saved), io.BytesIO()
    torch.save(saved, file)
    file.seek(0)
    others = [nn.Parameter(value) for value in values_of(params)]
    resumed = trial.make(others)
    for group in resumed.param_groups:
        group.update({name: _other(value) for name, value in group.items()})
    resumed.load_state_dict(torch.load(file, weights_only=True))
    _require_same_state(resumed.state_dict(), kept, "the state that was loaded")
    _require_same_state(optimizer.state_dict(), kept, "the state that was saved")
    _go_on(optimizer, params, resumed, others)


def copies_to_the_bit(trial: Trial) -> None:
    """By deepcopy and by pickle, apart from what was copied."""
    for copy in (deepcopy, _pickled):
        optimizer, params = trial.start()
        take_steps(optimizer, params, 3)
        copied, others = copy((optimizer, params))
        require(type(copied) is type(optimizer), f"a copy is a {type(copied).__name__}")
        _require_same_state(copied.state_dict(), optimizer.state_dict(), "the state of a copy")
        _go_on(copied, others, optimizer, params)


LAWS: Final[Sequence[Callable[[Trial], None]]] = (resumes_to_the_bit, copies_to_the_bit)


def _other(value: Any) -> Any:
    """Return half of an option that is a number, or several."""
    if isinstance(value, tuple):
        return tuple(map(_other, value))
    return value / 2 if isinstance(value, float) else value


def _go_on(first: Optimizer, params: list[nn.Parameter], second: Optimizer, others: list[nn.Parameter]) -> None:
    """Take the same steps with one after the other."""
    before = values_of(others)
    take_steps(first, params, 3)
    for other, value in zip(others, before, strict=True):
        require_same(other.detach(), value, "a parameter, while the other optimizer steps its own")
    take_steps(second, others, 3)
    for number, (param, other) in enumerate(zip(params, others, strict=True)):
        require_same(param.detach(), other.detach(), f"parameter {number}, three steps later")
        _require_same_tensors(first.state[param], second.state[other], f"of parameter {number}, three steps later")


def _require_same_state(ours: Mapping[str, Any], theirs: Mapping[str, Any], what: str) -> None:
    require(ours["param_groups"] == theirs["param_groups"], f"{what}: {ours['param_groups']} are not its groups")
    require(list(ours["state"]) == list(theirs["state"]), f"{what} is of parameters {list(ours['state'])}")
    for number, kept in ours["state"].items():
        _require_same_tensors(kept, theirs["state"][number], f"of parameter {number}, in {what}")


def _require_same_tensors(ours: Mapping[str, Any], theirs: Mapping[str, Any], what: str) -> None:
    require(set(ours) == set(theirs), f"what is kept {what}: {sorted(ours)} is not {sorted(theirs)}")
    for name, kept in ours.items():
        if isinstance(kept, Tensor):
            require_same(kept, theirs[name], f"{name} {what}")


def _pickled(pair: tuple[Optimizer, list[nn.Parameter]]) -> tuple[Optimizer, list[nn.Parameter]]:
    return pickle.loads(pickle.dumps(pair))
