"""The averaging of Distributed Lion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lionkit.distributed._mode import Cast, Mode, Noise, broken_votes, with_nans


@final
@dataclass(frozen=True)
class Mean(Mode):
    r"""The mean of the workers' directions: a coordinate moves the less, the less they agree.

    .. math:: \Delta = \frac{1}{N} \sum_{i=1}^N \delta_i, \qquad \delta_i = \nabla\kappa(c_i)

    Use it where a vote is too coarse, and few workers make its answer short: a worker sends what it sends in a `Vote`,
    and gets N + 1 levels back, or 2 N + 1 where any worker votes 0: 1.6 bits for 2 workers, 2.67 for 4, 4 for up to
    15, 8 for up to 255, and 16 beyond. It is rounded once, to the dtype of the gradients.

    Example:
        >>> import torch
        >>> from lionkit.distributed import Mean, decide
        >>> decide(Mean(), torch.tensor([[1.0, 1.0, -1.0], [1.0, -1.0, 0.0]]))
        tensor([ 1.0000,  0.0000, -0.5000])

    References:
        Liu et al., "Communication Efficient Distributed Training with Distributed Lion", arXiv 2404.00438,
        Algorithm 1, Averaging.
    """

    def table(self, cast: Cast) -> list[float]:
        """Return the levels from -1 to 1, two votes apart where nobody has voted 0."""
        apart = 1 if cast.zeros or cast.nans else 2
        levels = [votes / cast.workers for votes in range(-cast.workers, cast.workers + 1, apart)]
        return [*levels, torch.nan] if cast.nans else levels

    def decide(self, votes: Tensor, cast: Cast, noise: Noise) -> Tensor:
        """Return the place of the sum among the levels."""
        table = self.table(cast)
        digits = votes + cast.workers
        if not (cast.zeros or cast.nans):
            digits = digits // 2
        return with_nans(digits, broken_votes(votes, cast), table)
