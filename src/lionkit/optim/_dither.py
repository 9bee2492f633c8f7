"""The dither of StoSignSGD: noise as large as the momentum has ever been, before the sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from lionkit.kernels import Geometry, words
from lionkit.momentum._shards import own, places, spread
from lionkit.optim._direction import Direction, Sight

LARGEST = "largest"


@final
@dataclass(frozen=True)
class Dither(Direction):
    r"""Add uniform noise of the size of the largest c so far before the kappa's map: a sign that is right on average.

    .. math:: G_k = \max(G_{k-1}, |c_k|), \qquad u = \nabla\kappa(c_k + G_k \odot n_k), \quad n_k \sim U[-1, 1]^d

    With kappa = l1, :math:`\mathbb{E}\,u = c_k / G_k`. The noise is a function of seed, step and place, as in
    stochastic roundings.

    References:
        Yu, Pan, Liu, Zhang, "StoSignSGD: Unbiased Structural Stochasticity Fixes SignSGD for Training Large Language
        Models", arXiv 2604.15416, read in a secondary source.
    """

    state_names: ClassVar[tuple[str, ...]] = (LARGEST,)
    noisy: ClassVar[bool] = True

    def of(self, c: Tensor, kappa: Geometry, sight: Sight) -> Tensor:
        """Return the kappa's direction of c and noise."""
        wide = c.to(torch.promote_types(c.dtype, torch.float32))
        if LARGEST not in sight.state:
            sight.state[LARGEST] = torch.zeros_like(wide)
        largest = sight.state[LARGEST]
        torch.maximum(largest, wide.abs(), out=largest)
        return kappa.gradient(torch.addcmul(wide, largest, _uniform(wide, sight))).to(c.dtype)


def _uniform(like: Tensor, sight: Sight) -> Tensor:
    """Return numbers from -1 to 1, symmetric about 0; a shard's are those of its places in the whole tensor."""
    shard = own(like)
    drawn = words(*sight.noise, shard.numel(), shard.device, stream="weights", places=places(like))
    return spread((drawn.to(torch.float64) + 0.5).div_(2**31).sub_(1).to(like.dtype).view(shard.shape), like)
