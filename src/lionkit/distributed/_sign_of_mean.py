"""The sign of the full-precision mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lionkit.distributed._mode import Cast, ModeOfValues, sign_digits, signs_table
from lionkit.kappa import Kappa


@final
@dataclass(frozen=True)
class SignOfMean(ModeOfValues):
    r"""The direction of the mean: workers send :math:`c_i` as it is, and get the sign of the mean back.

    .. math:: \Delta = \nabla\kappa\Bigl(\frac{1}{N} \sum_{i=1}^N c_i\Bigr)

    Use it to see what one bit costs: 32 bits a parameter there, 2 back. It is plain Lion on all-reduced gradients,
    since c is linear in them, up to rounding and to gradients that are missing on some workers.

    References:
        Jiang, Zhang, "Convergence Analysis of the Lion Optimizer in Centralized and Distributed Settings",
        arXiv 2508.12327, Theorem 3.
    """

    def table(self, cast: Cast) -> list[float]:
        """Return all signs, and nan: no worker knows what another has sent."""
        return signs_table(Cast(cast.workers, nans=True), ties=True)

    def decide_values(self, values: Tensor, kappa: Kappa) -> Tensor:
        """Return the signs; the sum is taken in the order of the workers."""
        total = values[0].clone()
        for row in values[1:]:
            total += row
        signs = kappa.gradient(total / len(values))
        table = self.table(Cast(len(values)))
        return sign_digits(signs.nan_to_num(nan=0.0).to(torch.int16), table, signs.isnan())
