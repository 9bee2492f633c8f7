"""kappa = the sum of the k largest absolute values: sign descent on the k coordinates that matter most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lionkit.kappa._base import InducedProblem
from lionkit.kappa._norm import Norm, largest, p_norm


@final
@dataclass(frozen=True)
class TopK(Norm):
    r"""The sum of the k largest absolute values of a parameter, :math:`\kappa(x) = \sum_{i \le k} |x|_{(i)}`.

    The k coordinates of the largest momentum move by ``lr``, which has the unit of the weights, and the
    others only decay. It lies between greedy descent, k = 1 (`LInf`), and Lion, where k is the number of
    weights (`L1`). Coordinates equal to the k-th largest share equally what is left of the k; the map is 0 at
    0, and nan throughout where any coordinate is not finite.

    Args:
        k: How many coordinates of each parameter move, from 1 to the number of its weights.

    Raises:
        ValueError: ``k`` is not a whole number above 0.

    >>> import torch
    >>> from lionkit.kappa import TopK
    >>> TopK(2).gradient(torch.tensor([-3.0, 0.1, 0.5]))
    tensor([-1.,  0.,  1.])

    References:
        arXiv 2310.05898, the table of kappas; derived here anew, its row not compared with the text.
    """

    k: int

    def __post_init__(self) -> None:
        if not isinstance(self.k, int) or self.k < 1:
            raise ValueError(f"Invalid k: {self.k}, it must be a whole number and at least 1")

    def check_shape(self, shape: Sequence[int]) -> None:
        """Raise where a parameter has fewer than k weights."""
        if (num_weights := math.prod(shape)) < self.k:
            raise ValueError(
                f"TopK cannot take a parameter of shape {tuple(shape)}: k is {self.k}, it must be at most its number "
                f"of weights, {num_weights}; use a smaller k or L1() for it"
            )

    def value(self, x: Tensor) -> Tensor:
        """Return the sum of the k largest absolute values."""
        self.check_shape(x.shape)
        return x.abs().flatten().topk(self.k).values.sum()

    def gradient(self, x: Tensor) -> Tensor:
        """Return the sign of the k largest coordinates, 0 elsewhere."""
        self.check_shape(x.shape)
        size = x.abs()
        threshold = size.flatten().topk(self.k).values[-1]
        above, at = size > threshold, size == threshold
        share = (self.k - above.sum()).to(torch.promote_types(x.dtype, torch.float32)) / at.sum()
        return torch.add(x.sign() * (above + at * share.to(x.dtype)), largest(x), alpha=0)

    def gauge(self, y: Tensor) -> Tensor:
        """Return the larger of the largest absolute value and a k-th of the l1 norm."""
        return torch.maximum(largest(y), p_norm(y, 1).sum() / self.k)

    @property
    def problem(self) -> InducedProblem:
        """Minimise f over the intersection of a box and an l1 ball."""
        ball = rf"\|x\|_\infty \le 1/\lambda, \; \|x\|_1 \le {self.k}/\lambda"
        return InducedProblem(
            words="minimise f over the box in which no weight is larger than 1 / weight_decay and the absolute values "
            f"of each parameter sum to at most {self.k} / weight_decay",
            latex=rf"\min_x f(x) \quad \text{{s.t.}} \quad {ball}",
            constraint=ball,
        )
