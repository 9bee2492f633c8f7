"""What a checkpoint holds of the state of a run."""

from typing import Any

import torch
from torch import Tensor

from lionkit_lab.checkpoint import Saved, Snapshot
from lionkit_lab.state._training import TrainingState


def snapshot(state: TrainingState, **more: Any) -> Snapshot:
    """Return everything that the coming steps depend on; all processes together.

    Args:
        state: The run's.
        more: What else the checkpoint shall hold.
    """
    optimizer, names = state.optimizer.state_dict(), _names(state)
    kept = {(number, key): value for number, own in optimizer["state"].items() for key, value in own.items()}
    rest = {
        "step": state.step,
        "rollbacks": state.rollbacks,
        "groups": optimizer["param_groups"],
        "values": {at: value for at, value in kept.items() if not isinstance(value, Tensor)},
        "schedule": state.schedule.state_dict(),
        "scale": state.engine.precision.state_dict(),
        "random": state.engine.random_states(),
    }
    return Snapshot(
        step=state.step,
        weights=state.engine.whole_weights(state.model),
        tensors={f"{names[number]}/{key}": it for (number, key), it in kept.items() if isinstance(it, Tensor)},
        rest=rest | more,
        is_sharded=state.engine.is_sharded,
    )


def restore(state: TrainingState, saved: Saved) -> None:
    """Stand where ``snapshot()`` was taken; all processes together, of which there may be more or fewer than then."""
    rest = saved.rest
    state.engine.put_weights(state.model, saved.weights())
    state.optimizer.load_state_dict({"state": _optimizer_state(state, saved), "param_groups": rest["groups"]})
    state.schedule.load_state_dict(rest["schedule"])
    state.engine.precision.load_state_dict(rest["scale"])
    state.engine.set_random_states(rest["random"], rest["step"])
    state.step, state.rollbacks = rest["step"], rest["rollbacks"]


def _optimizer_state(state: TrainingState, saved: Saved) -> dict[int, dict[str, Any]]:
    numbers = {name: number for number, name in _names(state).items()}
    params = dict(state.model.named_parameters())

    def like(name: str, shape: torch.Size, dtype: torch.dtype) -> Tensor:
        param = params[name.rpartition("/")[0]]
        # What has the weight's shape is in shards where the weight is; a count of steps, or codes, are not.
        return torch.zeros_like(param, dtype=dtype) if shape == param.shape else torch.zeros(shape, dtype=dtype)

    states: dict[int, dict[str, Any]] = {}
    for name, tensor in saved.tensors(like, state.engine.is_sharded).items():
        param, _, key = name.rpartition("/")
        states.setdefault(numbers[param], {})[key] = tensor.detach()
    for (number, key), value in saved.rest["values"].items():
        states.setdefault(number, {})[key] = value
    return states


def _names(state: TrainingState) -> dict[int, str]:
    """Return each parameter's name by its number in the optimizer's state dict."""
    names = {param: name for name, param in state.model.named_parameters()}
    params = (param for group in state.optimizer.param_groups for param in group["params"])
    return {number: names[param] for number, param in enumerate(params)}
