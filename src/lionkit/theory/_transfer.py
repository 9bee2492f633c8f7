"""From settings that were found at one scale to the theory's settings at another."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lionkit.theory._checks import require, require_count, require_positive
from lionkit.theory._problem import Settings


@dataclass(frozen=True)
class Scale:
    """The size of a run.

    Attributes:
        steps: :math:`K`, number of steps.
        dim: :math:`d`, number of weights.
        batch: Gradients averaged in a step, in any unit (samples, tokens), above 0.

    Raises:
        ValueError: a number is out of its range.
    """

    steps: int
    dim: int
    batch: float

    def __post_init__(self) -> None:
        require_count("steps", self.steps)
        require_count("dim", self.dim)
        require_positive("batch", self.batch)


@dataclass(frozen=True)
class Tuned:
    """Settings, and the scale that they are for.

    Attributes:
        settings: The settings.
        scale: The scale they were found at.
    """

    settings: Settings
    scale: Scale


def transfer(best: Tuned, to: Scale) -> Tuned:
    r"""Return the theory's settings at another scale.

    Corollary 3 with :math:`\sigma^2` inversely proportional to the batch B, and :math:`L` and :math:`\Delta` as
    they were:

    .. math::
        \eta' = \eta \Big(\frac{K}{K'}\Big)^{3/4} \Big(\frac{d}{d'}\Big)^{1/2} \Big(\frac{B'}{B}\Big)^{1/4}, \qquad
        1 - \beta_i' = (1 - \beta_i) \Big(\frac{K}{K'}\Big)^{1/2} \Big(\frac{B'}{B}\Big)^{1/2}

    and the same decay, which sets the box and so the problem. It is a scaling of what was found, so whatever
    factor separates that from the corollary's own settings stays. What it assumes of a wider model is strong: that
    L and the gap do not change with d, and that the noise, a norm over all weights, does not either.

    Args:
        best: The settings found, and their scale.
        to: The new scale.

    Raises:
        ValueError: a run so short, or a batch so large, that a beta would be negative.

    Example:
        >>> from lionkit.theory import Scale, Settings, Tuned, transfer
        >>> best = Tuned(Settings(lr=8e-4, betas=(0.9, 0.98), weight_decay=0.1), Scale(1000, dim=10**6, batch=64))
        >>> new = transfer(best, to=Scale(16_000, dim=10**6, batch=64)).settings
        >>> round(new.lr, 9), tuple(round(beta, 6) for beta in new.betas), new.weight_decay
        (0.0001, (0.975, 0.995), 0.1)

    References:
        arXiv 2411.07724, Theorem 2 and Corollary 3.
    """
    old, settings = best.scale, best.settings
    longer, wider, larger = to.steps / old.steps, to.dim / old.dim, to.batch / old.batch
    faster = math.sqrt(larger / longer)
    forgets = max(1 - beta for beta in settings.betas) * faster
    condition = "Theorem 2 needs it at most 1, or a beta is negative: take more steps or a smaller batch"
    require(forgets <= 1, "1 - beta at the new scale", f"{forgets:.6g}", condition)
    beta1, beta2 = (1 - (1 - beta) * faster for beta in settings.betas)
    lr = settings.lr * larger**0.25 / (longer**0.75 * math.sqrt(wider))
    return Tuned(Settings(lr, (beta1, beta2), settings.weight_decay), to)
