"""All that changes while a run trains."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from lionkit_lab import optimizers
from lionkit_lab.errors import UsageError
from lionkit_lab.recipe import Cosine, Recipe
from lionkit_lab.tasks import Task


class TrainingState:
    """Model, optimizer, schedule, random generator and step: what a checkpoint must hold."""

    def __init__(self, recipe: Recipe, task: Task) -> None:
        self.total = total_steps(recipe, task)
        self.step = 0
        torch.manual_seed(recipe.seed)
        self.model = task.model().train()
        self.optimizer = optimizers.optimizer(recipe.optimizer, self.model.parameters())
        self._schedule = optimizers.schedule(recipe.schedule, self.optimizer, self.total)
        self._clip = recipe.training.clip

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    @property
    def num_parameters(self) -> int:
        """Weights that are trained."""
        return sum(param.numel() for param in self.model.parameters() if param.requires_grad)

    def update(self, loss: Tensor) -> None:
        """Take one step down the loss."""
        self.optimizer.zero_grad()
        loss.backward()
        if self._clip is not None:
            clip_grad_norm_(self.model.parameters(), self._clip)
        self.optimizer.step()
        self._schedule.step()
        self.step += 1

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the coming steps depend on."""
        return {
            "step": self.step,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "rng": torch.get_rng_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Stand where ``state_dict()`` was taken."""
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["rng"])


def total_steps(recipe: Recipe, task: Task) -> int:
    """Return the steps of the whole run.

    Raises:
        UsageError: The warm-up leaves no step to the annealing.
    """
    training, schedule = recipe.training, recipe.schedule
    total = training.steps or (training.epochs or 0) * task.steps_per_epoch
    if isinstance(schedule, Cosine) and schedule.warmup_steps >= total:
        found = f"schedule.warmup_steps: {schedule.warmup_steps} is not allowed"
        raise UsageError(f"{found}: must be below the run's {total} steps")
    return total
