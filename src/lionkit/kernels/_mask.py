"""By how much a masked step makes up for the coordinates that stand still."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Mask(NamedTuple):
    r"""What the direction of the k coordinates that agree with the gradient, of n, is multiplied by.

    .. math:: \alpha = \frac{n}{\max(k + a, b n)}

    Args:
        offset: a, at least 0.
        least: b, at least 0, and not 0 together with a: the share k / n below which :math:`\alpha` grows no more.
    """

    offset: float
    least: float

    def factor(self, n: int, k: Tensor) -> Tensor:
        r"""Return :math:`\alpha`, 0-dimensional as k is.

        >>> import torch
        >>> Mask(offset=1.0, least=0.0).factor(6, torch.tensor(2.0))
        tensor(2.)
        """
        return n / (k + self.offset).clamp(min=self.least * n)
