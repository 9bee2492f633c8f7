"""The sections of a recipe."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_serializer, model_validator

from lionkit_lab.recipe._section import Count, NonNegative, Section, WordOrCount


class _Task(Section):
    data: Path | None = None
    """The user's own data; the data that ships with the package when absent."""

    @field_serializer("data")
    def _without_folder(self, data: Path | None) -> str | None:
        # A manifest travels: it names the data by its hashes, not by a place on one machine.
        return data.name if data else None


class Images(_Task):
    """Image classification. ``data`` is a folder of four IDX files, named as Fashion-MNIST names them."""

    name: Literal["images"]
    """The task."""


class Characters(_Task):
    """Character language modelling. ``data`` is a UTF-8 text file, packed (``.gz``) or not."""

    name: Literal["characters"]
    """The task."""
    context: Count = 64
    """Characters in a window: those that the model sees, and those that it predicts. At least 1."""


class Cosine(Section):
    """Linear warm-up to the learning rate, then cosine annealing to 0 at the last step."""

    name: Literal["cosine"] = "cosine"
    """The schedule."""
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    """Steps of the warm-up, at least 0 and fewer than the run's steps."""


class Constant(Section):
    """The same learning rate at every step."""

    name: Literal["constant"]
    """The schedule."""


class Training(Section):
    """How long and in which portions to train; exactly one of ``epochs`` and ``steps``."""

    epochs: Count | None = None
    """Passes over the training set, at least 1."""
    steps: Count | None = None
    """Optimizer steps, at least 1."""
    batch_size: Count = 64
    """Samples in a step, at least 1; the last batch of an epoch may be smaller."""
    clip: Annotated[float, Field(gt=0)] | None = None
    """Largest l2 norm of the gradient, above 0; no clipping when absent."""
    checkpoint_every: Count | None = None
    """Steps between checkpoints, at least 1, besides the one after each logging epoch."""

    @model_validator(mode="after")
    def _one_length(self) -> "Training":
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("exactly one of epochs and steps must be given")
        return self


class Logging(Section):
    """When to freeze the weights and measure the full gradient, and over which samples."""

    every: Annotated[Literal["epoch"] | Count, WordOrCount] = "epoch"
    """Training between two logging epochs: "epoch", or a number of steps of at least 1."""
    batches: Annotated[Literal["all"] | Count, WordOrCount] = "all"
    """Batches of a logging epoch: "all", or a number of at least 1 of evenly spaced batches."""
    batch_size: Count = 500
    """Samples in a logging batch, at least 1: memory and speed, and nothing else."""
    batch_norm: Literal["batch", "running"] = "batch"
    """Statistics that batch norm uses in a logging epoch: the batch's own, or the running ones."""
    weight_decay: NonNegative | None = None
    """The decay at which the KKT residual and the box are measured, at least 0; the optimizer's own when absent."""
    step_every: Count = 10
    """Steps between two records of the minibatch loss, at least 1."""


TaskSettings = Annotated[Images | Characters, Field(discriminator="name")]
ScheduleSettings = Annotated[Cosine | Constant, Field(discriminator="name")]
