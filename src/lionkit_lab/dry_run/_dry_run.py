"""All numbers of a dry run."""

import math
from dataclasses import dataclass

import torch

from lionkit_lab.dry_run._find import find_subject
from lionkit_lab.dry_run._memory import Memory, memory
from lionkit_lab.dry_run._missing import Missing, missing
from lionkit_lab.dry_run._subject import Subject
from lionkit_lab.engine import bits_a_parameter, check_agreement
from lionkit_lab.errors import RunError
from lionkit_lab.recipe import Cosine, Recipe
from lionkit_lab.state import check_warmup


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
        disk: Bytes of the data on the disk, and of the tokens that are made of them.
        checkpoint: Bytes of a checkpoint; while it is written there are two.
        kept: Bytes of the weights that stay, beside the last checkpoint.
        wire_bits: What a step sends for a parameter, there and back, where processes agree; None where they don't.
        missing: What is not here, or cannot be used.
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
    wire_bits: float | None
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
        UsageError: Training would refuse a setting, as one that does not fit the data.
    """
    check_agreement(recipe)
    found, unusable = _subject(recipe)
    steps, epochs = _length(recipe, found)
    seen = _seen(recipe, found.train if found else None, steps, epochs)
    size = _size(recipe, found, processes) if found else None
    states = 1 if recipe.engine.agreement == "none" else processes
    checkpoint = size[1].weights + states * size[1].optimizer if size else None
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
        kept=size[1].weights * _num_kept(recipe, steps) if size else None,
        wire_bits=_wire_bits(recipe, processes),
        missing=(*missing(recipe), *unusable),
    )


def _subject(recipe: Recipe) -> tuple[Subject | None, tuple[Missing, ...]]:
    """Return what the recipe trains, and what is here and cannot be used."""
    try:
        return find_subject(recipe), ()
    except RunError as error:
        return None, (Missing(str(error), "bring it anew, or give another by --set", is_here=True),)


def _size(recipe: Recipe, found: Subject, processes: int) -> tuple[int, Memory]:
    with torch.device("meta"):
        network = found.network().train()
    dim = sum(param.numel() for param in network.parameters() if param.requires_grad)
    return dim, memory(recipe, found, network, processes)


def _length(recipe: Recipe, found: Subject | None) -> tuple[int | None, float | None]:
    training = recipe.training
    each = -(-found.train // training.batch_size) if found and found.train is not None else None
    total = training.steps or (training.epochs * each if training.epochs and each else None)
    if total and (_in_one_unit(recipe) or (found and found.exact)):
        check_warmup(recipe, total, each or 1)
    return total, float(training.epochs or (total or 0) / each) if each else training.epochs


def _in_one_unit(recipe: Recipe) -> bool:
    """Say whether a warm-up can be compared with the length of the run without counting the samples."""
    in_epochs = isinstance(recipe.schedule, Cosine) and bool(recipe.schedule.warmup_epochs)
    return in_epochs == bool(recipe.training.epochs)


def _wire_bits(recipe: Recipe, processes: int) -> float | None:
    agreement = recipe.engine.agreement
    return None if agreement == "none" or processes == 1 else bits_a_parameter(agreement, processes)


def _num_kept(recipe: Recipe, steps: int | None) -> int:
    return sum(steps is None or step <= steps for step in recipe.training.kept_steps)


def _seen(recipe: Recipe, train: int | None, steps: int | None, epochs: float | None) -> int | None:
    if recipe.training.epochs:
        return None if train is None else recipe.training.epochs * train
    if steps is None:
        return None
    # The last batch of an epoch may be smaller.
    return steps * recipe.training.batch_size if train is None or epochs is None else round(epochs * train)
