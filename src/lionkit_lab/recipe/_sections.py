"""The sections of a recipe."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from lionkit_lab.recipe._section import Count, NonNegative, Section, WordOrCount


class Cosine(Section):
    """Linear warm-up to the learning rate, then cosine annealing to 0 at the last step."""

    name: Literal["cosine"] = "cosine"
    """The schedule."""
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    """Steps of the warm-up, at least 0 and fewer than the run's steps."""
    warmup_epochs: Annotated[int, Field(ge=0)] = 0
    """The same in epochs, at least 0; only one of the two."""

    @model_validator(mode="after")
    def _one_warmup(self) -> "Cosine":
        if self.warmup_steps and self.warmup_epochs:
            raise ValueError("only one of warmup_steps and warmup_epochs may be given")
        return self

    def warmup(self, steps_per_epoch: int) -> int:
        """Return the steps of the warm-up.

        Args:
            steps_per_epoch: Batches in a training epoch, at least 1.
        """
        return self.warmup_steps + self.warmup_epochs * steps_per_epoch


class Constant(Section):
    """The same learning rate at every step."""

    name: Literal["constant"]
    """The schedule."""


def _last_or_steps(value: Any) -> Any:
    # Pydantic would report one error for each member of the union; a reader needs one for the key.
    steps = value if isinstance(value, list | tuple) else ()
    if value == "last" or (steps and all(type(step) is int and step >= 1 for step in steps)):
        return value
    raise ValueError(f"{value!r} is not allowed: must be 'last' or a list of steps, each at least 1")


def _unless_none(value: Any) -> Any:
    return None if value == "none" else value


class Training(Section):
    """How long and in which portions to train; exactly one of ``epochs`` and ``steps``."""

    epochs: Count | None = None
    """Passes over the training set, at least 1."""
    steps: Count | None = None
    """Optimizer steps, at least 1."""
    batch_size: Count = 64
    """Samples in a step, at least 1; the last batch of an epoch may be smaller."""
    clip: Annotated[Annotated[float, Field(gt=0)] | None, BeforeValidator(_unless_none)] = None
    """Largest l2 norm of the gradient, above 0; no clipping when absent, or "none" over a recipe that clips."""
    checkpoint_every: Count | None = None
    """Steps between checkpoints, at least 1, besides the one after each logging epoch."""
    keep: Annotated[Literal["last"] | tuple[Count, ...], BeforeValidator(_last_or_steps)] = "last"
    """Whose weights stay: those of the last checkpoint alone, "last", or also those after the steps of a list."""

    @property
    def kept_steps(self) -> tuple[int, ...]:
        """The steps whose weights stay."""
        return () if self.keep == "last" else self.keep

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
    """Samples in a logging batch, at least 1: memory and speed, and what batch norm takes its statistics over."""
    batch_norm: Literal["batch", "running"] = "batch"
    """Statistics that batch norm uses in a logging epoch: the batch's own, or the running ones."""
    weight_decay: NonNegative | None = None
    """The decay at which the KKT residual and the box are measured, at least 0; the optimizer's own when absent."""
    step_every: Count = 10
    """Steps between two records of the minibatch loss, at least 1."""
    statistics_every: Count | None = None
    """Steps between two records of what lionkit's optimizers see in their own pass, at least 1; none when absent."""


ScheduleSettings = Annotated[Cosine | Constant, Field(discriminator="name")]
