"""All that changes while a run trains."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from lionkit import LionK
from lionkit_lab import optimizers
from lionkit_lab.errors import UsageError
from lionkit_lab.recipe import Cosine, Recipe
from lionkit_lab.tasks import Batch, Task


class NonFiniteLossError(Exception):
    """A minibatch's loss that is not finite; nothing has been stepped."""


class TrainingState:
    """Model, optimizer, schedule, random generator and step: what a checkpoint must hold."""

    def __init__(self, recipe: Recipe, task: Task) -> None:
        self.total = total_steps(recipe, task)
        self.step = 0
        self.optimizer_seconds = 0.0
        """Time spent in the optimizer's steps since the start of this process, gradients apart."""
        torch.manual_seed(recipe.seed)
        self.model = task.model().train()
        self.optimizer = optimizers.optimizer(recipe.optimizer, self.model, recipe.seed)
        self._task = task
        self._schedule = optimizers.schedule(recipe.schedule, self.optimizer, self.total)
        self._clip = recipe.training.clip

    @property
    def lr(self) -> float:
        """The learning rate of the next step, of the first group of parameters."""
        return float(self.optimizer.param_groups[0]["lr"])

    @property
    def num_parameters(self) -> int:
        """Weights that are trained."""
        return sum(param.numel() for param in self.model.parameters() if param.requires_grad)

    @property
    def state_bytes(self) -> int:
        """Bytes of the tensors that the optimizer keeps between steps."""
        kept = (value for state in self.optimizer.state.values() for value in state.values())
        return sum(value.nbytes for value in kept if isinstance(value, Tensor))

    def update(self, batch: Batch) -> float:
        """Take one step down the batch's loss.

        Returns:
            The loss before the step, in nats.

        Raises:
            NonFiniteLossError: It is not finite.
        """
        gradient_seconds = 0.0

        def closure() -> float:
            nonlocal gradient_seconds
            start = time.perf_counter()
            loss = self._backward(batch)
            gradient_seconds += time.perf_counter() - start
            return loss

        start = time.perf_counter()
        loss = self.optimizer.step(closure)
        self.optimizer_seconds += time.perf_counter() - start - gradient_seconds
        self._schedule.step()
        self.step += 1
        return loss

    def _backward(self, batch: Batch) -> float:
        self.optimizer.zero_grad()
        loss = self._task.loss(self.model, batch)
        value = loss.item()
        if not math.isfinite(value):
            raise NonFiniteLossError(f"loss is {value} at step {self.step + 1}")
        loss.backward()
        if self._clip is not None:
            clip_grad_norm_(self.model.parameters(), self._clip)
        return value

    @contextmanager
    def weights_to_evaluate(self) -> Iterator[None]:
        """Put in place the weights that are the optimizer's answer, where it trains at others."""
        member = self.optimizer if isinstance(self.optimizer, LionK) else None
        if member:
            member.eval()
        try:
            yield
        finally:
            if member:
                member.train()

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
