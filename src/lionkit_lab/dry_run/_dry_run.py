"""All numbers of a dry run."""

import math
from dataclasses import dataclass

import torch

from lionkit_lab.dry_run._memory import Memory, memory
from lionkit_lab.dry_run._missing import Missing, missing
from lionkit_lab.dry_run._subject import Subject, subject
from lionkit_lab.recipe import Recipe


@dataclass(frozen=True)
class DryRun:
    """What a recipe needs; None where nobody knows before the data are there.

    Attributes:
        name: The recipe's.
        parameters: Weights that are trained.
        memory: Bytes of one process that holds the whole model.
        steps: Optimizer steps of the run.
        epochs: Passes over the training set.
        train: Training samples.
        test: Test samples.
        exact: Whether samples and epochs are counted, and not estimated from the bytes of a text.
        seen: Samples that are trained on, each as often as it is seen.
        tokens: Tokens or characters that are trained on, likewise; None of images.
        disk: Bytes of the data on the disk.
        checkpoint: Bytes of a checkpoint; while it is written there are two.
        kept: Bytes of the weights that stay, beside the last checkpoint.
        missing: What is not here.
    """

    name: str
    parameters: int | None
    memory: Memory | None
    steps: int | None
    epochs: float | None
    train: int | None
    test: int | None
    exact: bool
    seen: int | None
    tokens: int | None
    disk: int | None
    checkpoint: int | None
    kept: int | None
    missing: tuple[Missing, ...]

    @property
    def sqrt_dim(self) -> float | None:
        """The square root of the number of weights, to which the paper compares the norm ratio."""
        return None if self.parameters is None else math.sqrt(self.parameters)


def dry_run(recipe: Recipe, processes: int = 1) -> DryRun:
    """Say what a recipe needs, without its data and without the memory of its model.

    Args:
        recipe: The recipe.
        processes: On how many it is to be trained, at least 1.

    Raises:
        UsageError: The network does not take the data.
    """
    found = subject(recipe)
    steps, epochs = _length(recipe, found.train if found else None)
    seen = _seen(recipe, found.train if found else None, steps, epochs)
    size = _size(recipe, found, processes) if found else None
    checkpoint = size[1].weights + size[1].optimizer if size else None
    return DryRun(
        name=recipe.name,
        parameters=size[0] if size else None,
        memory=size[1] if size else None,
        steps=steps,
        epochs=epochs,
        train=found.train if found else None,
        test=found.test if found else None,
        exact=bool(found and found.exact),
        seen=seen,
        tokens=seen * found.tokens if seen and found and found.tokens else None,
        disk=found.disk if found else None,
        checkpoint=checkpoint,
        kept=size[1].weights * len(recipe.training.kept_steps) if size else None,
        missing=missing(recipe),
    )


def _size(recipe: Recipe, found: Subject, processes: int) -> tuple[int, Memory]:
    with torch.device("meta"):
        network = found.network().train()
    dim = sum(param.numel() for param in network.parameters() if param.requires_grad)
    return dim, memory(recipe, found, network, processes)


def _length(recipe: Recipe, train: int | None) -> tuple[int | None, float | None]:
    training = recipe.training
    if train is None:
        return training.steps, training.epochs
    each = -(-train // training.batch_size)
    if training.epochs:
        return training.epochs * each, float(training.epochs)
    return training.steps, (training.steps or 0) / each


def _seen(recipe: Recipe, train: int | None, steps: int | None, epochs: float | None) -> int | None:
    if recipe.training.epochs:
        return None if train is None else recipe.training.epochs * train
    if steps is None:
        return None
    # The last batch of an epoch may be smaller.
    return steps * recipe.training.batch_size if train is None or epochs is None else round(epochs * train)
