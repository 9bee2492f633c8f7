"""The optimizers that a recipe can name: every member of the family, and torch's SGD and AdamW.

Settings have the names and the defaults of the optimizers' own arguments, but for ``lr``, which must be given.
"""

from typing import Annotated, Literal

from pydantic import Field

from lionkit_lab.recipe._kappas import KappaSettings, Positive
from lionkit_lab.recipe._section import Count, Momentum, NonNegative, Section


class _Optimizer(Section):
    lr: NonNegative
    """Learning rate at the top of the schedule, at least 0."""
    weight_decay: NonNegative = 0.1
    """Weight decay, at least 0: decoupled and times lr, but added to the gradient in sgd."""


class _Member(_Optimizer):
    """What all of the family have in common."""

    weight_decay_mode: Literal["lr", "absolute", "corrected", "cautious"] = "lr"
    """What the decay of a step is: see `lionkit.LionK`."""
    momentum_dtype: Literal["float32", "bfloat16", "int8", "int4"] | None = None
    """How the momentum is kept; as the weights when absent."""


class _TwoBetas(_Member):
    betas: tuple[Momentum, Momentum] = (0.9, 0.99)
    """Weights of the old momentum in the step and in the new momentum, each in [0, 1)."""


class _OneBeta(_Member):
    beta: Momentum = 0.9
    """Weight of the old momentum, in [0, 1)."""


class Lion(_TwoBetas):
    """``lionkit.Lion``."""

    name: Literal["lion"]
    """The optimizer."""
    momentum_init: Literal["zeros", "gradient"] = "zeros"
    """The first momentum: zeros (practice) or the first gradient (theory)."""


class LionK(_TwoBetas):
    """``lionkit.LionK``, with a kappa of choice."""

    name: Literal["lion_k"]
    """The optimizer."""
    kappa: KappaSettings
    """The geometry, such as ``{name = "huber", e = 0.01}``."""


class SignSGD(_Member):
    """``lionkit.SignSGD``."""

    name: Literal["sign_sgd"]
    """The optimizer."""


class Signum(_OneBeta):
    """``lionkit.Signum``."""

    name: Literal["signum"]
    """The optimizer."""


class Tiger(_OneBeta):
    """``lionkit.Tiger``."""

    name: Literal["tiger"]
    """The optimizer."""
    beta: Momentum = 0.965
    """Weight of the old momentum, in [0, 1)."""


class RLion(_TwoBetas):
    """``lionkit.RLion``."""

    name: Literal["rlion"]
    """The optimizer."""
    alpha: Positive = 10.0
    """Steepness of the arc tangent, above 0."""


class CLion(_TwoBetas):
    """``lionkit.CLion``."""

    name: Literal["clion"]
    """The optimizer."""
    nu: Positive = 1e-3
    """Where the gate opens, in units of the gradient, above 0."""
    gate: Literal["tensor", "model", "coordinate"] = "tensor"
    """What has one gate."""


class CautiousLion(_TwoBetas):
    """``lionkit.CautiousLion``."""

    name: Literal["cautious_lion"]
    """The optimizer."""
    betas: tuple[Momentum, Momentum] = (0.95, 0.98)
    """Weights of the old momentum in the step and in the new momentum, each in [0, 1)."""
    normalisation: Literal["published", "eps", "clamp_1e-3", "clamp_1e-5"] = "published"
    """What the masked direction is multiplied by."""


class MARSLion(_OneBeta):
    """``lionkit.MARSLion``."""

    name: Literal["mars_lion"]
    """The optimizer."""
    beta: Momentum = 0.95
    """Weight of the old momentum, in [0, 1)."""
    gamma: NonNegative = 0.025
    """Weight of the correction, at least 0."""
    exact: bool = False
    """Whether the earlier point is evaluated on the same batch: two gradients a step."""


class LionVR(_TwoBetas):
    """``lionkit.LionVR``: two gradients a step."""

    name: Literal["lion_vr"]
    """The optimizer."""


class LionIGT(_OneBeta):
    """``lionkit.LionIGT``."""

    name: Literal["lion_igt"]
    """The optimizer."""


class StoSignSGD(_OneBeta):
    """``lionkit.StoSignSGD``."""

    name: Literal["sto_sign_sgd"]
    """The optimizer."""


class MLorcLion(_TwoBetas):
    """``lionkit.MLorcLion``."""

    name: Literal["mlorc_lion"]
    """The optimizer."""
    betas: tuple[Momentum, Momentum] = (0.95, 0.98)
    """Weights of the old momentum in the step and in the new momentum, each in [0, 1)."""
    rank: Count = 4
    """Rank of the momentum of a matrix, at least 1."""


class Muon(_Member):
    """``lionkit.Muon`` on hidden matrices, ``lionkit.Lion`` on the rest: `lionkit.for_model`."""

    name: Literal["muon"]
    """The optimizer."""
    momentum: Momentum = 0.95
    """Weight of the old momentum, in [0, 1)."""
    nesterov: bool = True
    """Look ahead of the momentum."""
    adjust: Literal["original", "match_rms_adamw"] | None = "original"
    """What the step of a matrix is multiplied by."""
    fallback_lr_ratio: Positive = 0.05
    """Lion's lr over Muon's, above 0; ours: the units of the two differ."""


class AdamW(_Optimizer):
    """``torch.optim.AdamW``."""

    name: Literal["adamw"]
    """The optimizer."""
    betas: tuple[Momentum, Momentum] = (0.9, 0.999)
    """Decay rates of the first and of the second moment, each in [0, 1)."""
    eps: NonNegative = 1e-8
    """Added to the denominator, at least 0."""


class SGD(_Optimizer):
    """``torch.optim.SGD``."""

    name: Literal["sgd"]
    """The optimizer."""
    momentum: Momentum = 0.0
    """Heavy-ball momentum, in [0, 1); 0 is plain SGD."""


OptimizerSettings = Annotated[
    Lion
    | LionK
    | SignSGD
    | Signum
    | Tiger
    | RLion
    | CLion
    | CautiousLion
    | MARSLion
    | LionVR
    | LionIGT
    | StoSignSGD
    | MLorcLion
    | Muon
    | AdamW
    | SGD,
    Field(discriminator="name"),
]
