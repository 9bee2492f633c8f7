"""What a checkpoint holds of the state of a run."""

from typing import Any

from torch import Tensor

from lionkit_lab.checkpoint import Saved, Snapshot
from lionkit_lab.state._optimizer import optimizer_state, tensors_of
from lionkit_lab.state._training import TrainingState


def snapshot(state: TrainingState, **more: Any) -> Snapshot:
    """Return everything that the coming steps depend on; all processes together.

    Args:
        state: The run's.
        more: What else the checkpoint shall hold.
    """
    engine, optimizer = state.engine, state.optimizer.state_dict()
    kept = {(number, key): value for number, own in optimizer["state"].items() for key, value in own.items()}
    rest = {
        "step": state.step,
        "rollbacks": state.rollbacks,
        "groups": optimizer["param_groups"],
        "values": {at: value for at, value in kept.items() if not isinstance(value, Tensor)},
        "schedule": state.schedule.state_dict(),
        "scale": engine.precision.state_dict(),
        "random": engine.random_states(),
        "workers": engine.workers,
    }
    return Snapshot(
        step=state.step,
        weights=engine.whole_weights(state.model),
        tensors=tensors_of(state, optimizer["state"]),
        rest=rest | more,
        is_shared_out=engine.is_sharded or (engine.workers or 1) > 1,
    )


def restore(state: TrainingState, saved: Saved) -> None:
    """Stand where ``snapshot()`` was taken; all processes together, of which there may be more or fewer than then.

    Raises:
        UsageError: There are, and the recipe does not say with which momenta they go on.
    """
    rest, engine = saved.rest, state.engine
    optimizer = engine.processes.together(lambda: optimizer_state(state, saved))
    engine.put_weights(state.model, saved.weights())
    state.optimizer.load_state_dict(optimizer)
    state.schedule.load_state_dict(rest["schedule"])
    engine.precision.load_state_dict(rest["scale"])
    engine.set_random_states(rest["random"], rest["step"])
    state.step, state.rollbacks = rest["step"], rest["rollbacks"]
