"""The mask of Cautious Optimizers: a coordinate moves where direction and gradient agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor

from lionkit.kernels import Geometry, Mask
from lionkit.optim._direction import Direction, Sight

Normalisation = Literal["published", "eps", "clamp_1e-3", "clamp_1e-5"]

_MASKS: dict[str, Mask] = {
    "published": Mask(offset=1.0, least=0.0),
    "eps": Mask(offset=1e-8, least=0.0),
    "clamp_1e-3": Mask(offset=0.0, least=1e-3),
    "clamp_1e-5": Mask(offset=0.0, least=1e-5),
}


@final
@dataclass(frozen=True)
class CautiousMask(Direction):
    r"""The mask of C-Lion: coordinates whose direction u has not the sign of the gradient stand still.

    .. math:: \phi = [u \odot g > 0], \qquad u \leftarrow \alpha\, \phi \odot u

    With n coordinates in the parameter, k of which agree, the factor :math:`\alpha` is by ``normalisation``:

    ============  ==========================
    "published"   :math:`n / (k + 1)`
    "eps"         :math:`n / (k + 10^{-8})`
    "clamp_1e-3"  :math:`1 / \max(k/n, 10^{-3})`
    "clamp_1e-5"  :math:`1 / \max(k/n, 10^{-5})`
    ============  ==========================

    n and k are those of the whole parameter where it is a `DTensor` on several processes. The native kernel counts k
    in a pass of its own before the step.

    Args:
        normalisation: One of the names above.

    Raises:
        ValueError: ``normalisation`` is none of them.

    References:
        Liang et al., "Cautious Optimizers: Improving Training with One Line of Code", arXiv 2411.16085, and its
        repository's C-Lion; the other three are those of other libraries.
    """

    normalisation: Normalisation = "published"

    def __post_init__(self) -> None:
        if self.normalisation not in _MASKS:
            names = ", ".join(map(repr, _MASKS))
            raise ValueError(f"Invalid normalisation: {self.normalisation!r}, it must be one of {names}")

    @property
    def mask(self) -> Mask:
        """The numbers of the normalisation."""
        return _MASKS[self.normalisation]

    def of(self, c: Tensor, kappa: Geometry, sight: Sight) -> Tensor:
        """Return the masked and scaled direction; what is not a number stays none."""
        u = kappa.gradient(c)
        disagree = u * sight.grad <= 0
        wide = torch.promote_types(u.dtype, torch.float32)
        agree = disagree.logical_not().sum().to(wide)
        factor = self.mask.factor(u.numel(), agree)  # may be beyond float16's range where few agree
        return (u.masked_fill(disagree, 0.0).to(wide) * factor).to(u.dtype)
