"""What a run is watched for, and what is done about it."""

from typing import Annotated, Literal

from pydantic import Field

from lionkit_lab.recipe._section import Count, Section

WatchAction = Literal["warn", "skip", "stop", "rollback"]
"""What an early warning does: it is written down in any case."""

# Only a step that is judged before it is taken can be skipped.
_BeforeStep = Literal["off", "warn", "skip", "stop", "rollback"]
_AfterStep = Literal["off", "warn", "stop", "rollback"]
_Window = Annotated[int, Field(ge=10)]
_Spreads = Annotated[float, Field(gt=0)]
_Factor = Annotated[float, Field(ge=1)]
_Share = Annotated[float, Field(ge=0, lt=1)]


class NonFinite(Section):
    """A minibatch whose loss is not finite, nor, with another action than "stop", its gradient."""

    action: Literal["stop", "skip", "rollback"] = "stop"
    """"stop" ends the run as diverged, "skip" drops the step, "rollback" goes back to the last checkpoint."""


class Spike(Section):
    """One value far above those of the steps before it."""

    action: _BeforeStep = "off"
    """"off", "warn", "skip", "stop" or "rollback"."""
    window: _Window = 50
    """Steps before it that it is compared with, at least 10."""
    spreads: _Spreads = 8.0
    """How far above their median it is, in spreads (1.4826 median absolute deviations), above 0. Minibatches have
    heavier tails than a Gaussian, for which 5 would be one step in millions."""


class LossRise(Section):
    """The minibatch loss, smoothed over ten steps, above the lowest that it was."""

    action: _AfterStep = "warn"
    """"off", "warn", "stop" or "rollback"."""
    window: _Window = 50
    """Steps over which the spread between minibatches is taken, at least 10."""
    spreads: _Spreads = 4.0
    """How far above the lowest it is, in spreads of a single minibatch, above 0."""


class EpochRise(Section):
    """A quantity of logging epochs above the lowest that it was, for one of them or several in a row."""

    action: _AfterStep = "warn"
    """"off", "warn", "stop" or "rollback"."""
    epochs: Count = 1
    """Logging epochs in a row, at least 1."""
    factor: _Factor = 1.1
    """By what it is above the lowest, at least 1."""


class ResidualRise(EpochRise):
    """The same of the KKT residual, which swings: over three logging epochs, by 2.4 in a healthy run of SGD."""

    epochs: Count = 3
    """Logging epochs in a row, at least 1."""
    factor: _Factor = 3.0
    """By what it is above the lowest, at least 1."""


class TooMany(Section):
    """A share of the weights."""

    action: _AfterStep = "warn"
    """"off", "warn", "stop" or "rollback"."""
    share: _Share = 0.1
    """The share above which there are too many, in [0, 1)."""


class WatchSettings(Section):
    """Early warnings. Those that are on by default cost microseconds, and are silent while a run is healthy."""

    non_finite: NonFinite = NonFinite()
    """Losses and gradients that are not finite."""
    loss_spike: Spike = Spike()
    """Of the minibatch loss."""
    gradient_spike: Spike = Spike()
    """Of the logarithm of the minibatch gradient's l2 norm, before clipping."""
    loss: LossRise = LossRise()
    """The minibatch loss rising."""
    train_loss: EpochRise = EpochRise()
    """The full loss rising."""
    kkt_residual: ResidualRise = ResidualRise()
    """The KKT residual rising."""
    saturation: TooMany = TooMany()
    """Weights on the box, where the decay is as strong as the step."""
    skips: Count = 10
    """Steps in a row that may be skipped, at least 1; the next one ends the run."""
    rollbacks: Count = 3
    """Rollbacks of a run, at least 1; the next one ends it."""
    lr_factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """What each rollback multiplies the learning rate by, above 0 and below 1."""
