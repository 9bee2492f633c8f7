"""The constants of a recipe, from a short run of it."""

from collections.abc import Sequence
from typing import Any

from lionkit import probes
from lionkit.probes import ProblemConstants
from lionkit_lab import tasks
from lionkit_lab.cli._rounds import Rounds
from lionkit_lab.errors import RunError
from lionkit_lab.recipe import load
from lionkit_lab.state import TrainingState

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
    steps, path = min(pilot, state.total), []
    first = max(param.detach().abs().max().item() for param in state.model.parameters() if param.requires_grad)
    with Rounds(f"{recipe.name}: {steps} steps") as rounds:
        for step in range(steps):
            if step % -(-steps // (_POINTS - 1)) == 0:
                path.append({key: p.detach().clone() for key, p in state.model.named_parameters()})
            state.update(task.loss(state.model, task.batch(step)))
            rounds.tick(step + 1, steps)
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
        "start": first,
    }
