"""How a half-precision weight takes a step that is smaller than its spacing."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

WeightRounding = Literal["nearest", "stochastic", "kahan"]


def round_stochastic(wide: Tensor, noise: Tensor) -> Tensor:
    r"""Round to bfloat16, up or down at random, so that the expected value is the number itself.

    A number between two neighbours :math:`a < x < b` in bfloat16 becomes b with probability
    :math:`(x - a) / (b - a)`, to within :math:`2^{-16}`; a number of bfloat16 stays what it is.

    Args:
        wide: float32, any shape. Infinities and nan are kept.
        noise: int64 words, one for each coordinate in row-major order; the high 16 bits of each are used.

    Returns:
        bfloat16 of the shape of ``wide``.

    >>> round_stochastic(torch.full((4,), 1 + 2**-9), torch.tensor([0, 2**30, 3 * 2**30, 2**32 - 1])).tolist()
    [1.0, 1.0, 1.0078125, 1.0078125]

    References:
        Zamirai et al., "Revisiting BFloat16 Training", arXiv 2010.06192.
    """
    bits = wide.contiguous().view(torch.int32) + (noise.view(wide.shape) >> 16).to(torch.int32)
    rounded = (bits >> 16).to(torch.int16).view(torch.bfloat16)
    return torch.where(wide.isfinite(), rounded, wide.to(torch.bfloat16))


def round_kahan(wide: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    r"""Round to the nearest, and keep what was lost in a second number of the same precision.

    Args:
        wide: float32, any shape: the weight and its old compensation, after the step.
        dtype: bfloat16 or float16.

    Returns:
        The weight :math:`\theta = \operatorname{round}(w)` and the compensation
        :math:`\operatorname{round}(w - \theta)`; their sum is w to twice the precision of ``dtype``.

    >>> weight, compensation = round_kahan(torch.tensor([1 + 2**-9]), torch.bfloat16)
    >>> weight.item(), compensation.item()
    (1.0, 0.001953125)

    References:
        Kahan, "Further Remarks on Reducing Truncation Errors", 1965. Zamirai et al., "Revisiting BFloat16
        Training", arXiv 2010.06192.
    """
    weight = wide.to(dtype)
    return weight, (wide - weight).to(dtype)
