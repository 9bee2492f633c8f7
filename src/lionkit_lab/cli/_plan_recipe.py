"""The constants of a recipe, from a short run of it."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from lionkit import probes
from lionkit.probes import ProblemConstants
from lionkit_lab import tasks
from lionkit_lab.cli._rounds import Rounds
from lionkit_lab.errors import RunError
from lionkit_lab.recipe import load
from lionkit_lab.state import NonFiniteLossError, TrainingState
from lionkit_lab.tasks import Task

_POINTS = 3  # where the constants are measured: the start, the middle and the end of the run


def measure(
    name: str, overrides: Sequence[str], pilot: int, batches: int, products: int
) -> tuple[ProblemConstants, dict[str, Any]]:
    """Train a while with the recipe's own optimizer, and estimate the constants along the way.

    Args:
        name: Of the recipe, or its path.
        overrides: As in `lionkit train`.
        pilot: Most steps of the run.
        batches: Of the recipe's size, over which loss, gradients and Hessian are taken.
        products: With the Hessian, at each point.

    Returns:
        The estimates, and what a plan is made of, by its name there.

    Raises:
        RunError: a loss that is not finite, or fewer batches than estimates need.
    """
    recipe = load(name, overrides)
    task = tasks.build(recipe)
    state = TrainingState(recipe, task)
    start, steps = _weights(state), min(pilot, state.total)
    path = _path(recipe.name, state, task, steps)
    with Rounds(f"{recipe.name}: constants") as rounds:
        try:
            found = probes.constants(
                state.model,
                task.loss,
                [task.batch(steps + number) for number in range(batches)],
                path=path,
                lowest=0.0,  # a cross-entropy
                products=products,
                batch_norm=recipe.logging.batch_norm,
                progress=rounds.tick,
            )
        except ValueError as error:
            raise RunError(str(error)) from error
    return found, {
        "dim": found.dim,
        "smoothness": found.smoothness.value,
        "noise": found.noise,
        "gap": found.gap.value,
        "steps": state.total,
        "weight_decay": recipe.optimizer.weight_decay,
        "start": max(weight.abs().max().item() for weight in start.values()),
    }


def _path(name: str, state: TrainingState, task: Task, steps: int) -> list[dict[str, Tensor]]:
    """Take the steps; return the weights at all points but the last, where the model then stands."""
    path, apart = [], -(-steps // (_POINTS - 1))
    with Rounds(f"{name}: {steps} steps") as rounds:
        for step in range(steps):
            if step % apart == 0:
                path.append(_weights(state))
            try:
                state.update()
            except NonFiniteLossError as error:
                raise RunError(f"no constants of a run that diverges: {error}") from error
            rounds.tick(step + 1, steps)
    return path


def _weights(state: TrainingState) -> dict[str, Tensor]:
    named = state.model.named_parameters()
    return {key: param.detach().clone() for key, param in named if param.requires_grad}
