"""One run: a seed, and a way to keep the momentum."""

from __future__ import annotations

import time
from typing import NamedTuple, Self

import torch
from torch import Tensor

import lionkit
from lionkit.momentum import MomentumDtype
from lionkit_lab import optimizers, tasks
from lionkit_lab.recipe import Lion, Recipe


class Run(NamedTuple):
    """A finished run: a row of the CSV file, by the names of its columns."""

    momentum_dtype: MomentumDtype
    seed: int
    loss: float
    num_parameters: int
    state_bytes_per_parameter: float
    seconds: float

    @classmethod
    def read(cls, row: dict[str, str]) -> Self:
        """Return the run of a row of the file, which may have more columns."""
        types = {"momentum_dtype": str, "seed": int, "num_parameters": int}
        return cls(**{name: types.get(name, float)(row[name]) for name in cls._fields})


def train(recipe: Recipe, momentum_dtype: MomentumDtype) -> Run:
    """Train the recipe with its momentum kept so, and return the loss on the whole test set, in nats."""
    assert isinstance(recipe.optimizer, Lion)
    start = time.perf_counter()
    task = tasks.build(recipe)
    torch.manual_seed(recipe.seed)
    model = task.model().train()
    settings = recipe.optimizer.model_dump(exclude={"name"})
    optimizer = lionkit.Lion(model.parameters(), **settings, momentum_dtype=momentum_dtype, seed=recipe.seed)
    assert recipe.training.steps is not None
    schedule = optimizers.schedule(recipe.schedule, optimizer, recipe.training.steps)
    for step in range(recipe.training.steps):
        optimizer.zero_grad()
        task.loss(model, task.batch(step)).backward()
        optimizer.step()
        schedule.step()
    loss = task.evaluate(model.eval())["test_loss"]
    num_parameters = sum(param.numel() for param in model.parameters())
    num_bytes = _state_bytes(optimizer)
    seconds = time.perf_counter() - start
    return Run(momentum_dtype, recipe.seed, loss, num_parameters, num_bytes / num_parameters, seconds)


def _state_bytes(optimizer: torch.optim.Optimizer) -> int:
    tensors = (value for state in optimizer.state.values() for value in state.values() if isinstance(value, Tensor))
    return sum(tensor.nbytes for tensor in tensors)
