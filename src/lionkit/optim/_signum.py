"""Signum: the sign of the momentum."""

from __future__ import annotations

from typing import Unpack, final

from torch import Tensor
from torch.optim.optimizer import ParamsT

from lionkit.kappa import L1
from lionkit.optim._lionk import LionK
from lionkit.optim._options import CommonOptions


@final
class Signum(LionK):
    r"""Signum: signSGD with a momentum.

    Use it where Lion would stand, with one beta instead of two; the other settings are Lion's. The direction is that of
    the *new* momentum, where Lion's looks less far back than its momentum does.

    .. math::
        m_k &= \beta m_{k-1} + (1 - \beta) g_k \\
        \theta_{k+1} &= \theta_k - \eta\,(\operatorname{sign}(m_k) + \lambda \theta_k)

    It is Lion with betas :math:`(\beta, \beta)`.

    Args:
        params: Parameters, named parameters or groups of them.
        lr: Learning rate, at least 0: how far every weight moves a step, in the weights' unit.
        beta: Weight of the old momentum in the new, in [0, 1).
        weight_decay: Decoupled decay, at least 0; the box has half-width 1 / weight_decay.
        **options: Those of `lionkit.LionK`: momentum_init, momentum_dtype, weight_decay_mode, weight_rounding, seed,
            maximize, foreach, capturable, differentiable, fused.

    Raises:
        ValueError: an option is out of its range, or not one for these parameters.
        RuntimeError: options exclude each other, or ask for a backend that is missing.

    Example:
        >>> import torch, lionkit
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        >>> optimizer = lionkit.Signum([weight], lr=0.01, beta=0.95, weight_decay=0.1)
        >>> optimizer.defaults["betas"]
        (0.95, 0.95)

    References:
        Bernstein et al., "signSGD: Compressed Optimisation for Non-Convex Problems", arXiv 1802.04434, Algorithm 2.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-4,
        beta: float = 0.9,
        weight_decay: float = 0.0,
        **options: Unpack[CommonOptions],
    ) -> None:
        super().__init__(params, lr, (beta, beta), weight_decay, kappa=L1(), **options)
