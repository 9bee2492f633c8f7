"""StoSignSGD: a sign that is right on average."""

from __future__ import annotations

from typing import Unpack, final

from torch import Tensor
from torch.optim.optimizer import ParamsT

from lionkit.kappa import L1
from lionkit.optim._dither import Dither
from lionkit.optim._lionk import LionK
from lionkit.optim._options import CommonOptions


@final
class StoSignSGD(LionK):
    r"""StoSignSGD: the sign of the momentum with noise as large as it has ever been.

    Use it where signs mislead: where a few large gradients are balanced by many small ones, or the loss has kinks. On
    average a weight moves by lr times its momentum over the largest it has had, so that ``lr`` is the most that it
    moves, in the weights' unit, and wants to be larger than Signum's.

    .. math::
        m_k &= \beta m_{k-1} + (1 - \beta) g_k, \qquad G_k = \max(G_{k-1}, |m_k|) \\
        \theta_{k+1} &= \theta_k - \eta\,\bigl(\operatorname{sign}(m_k + G_k \odot n_k) + \lambda \theta_k\bigr), \qquad
        n_k \sim U[-1, 1]^d

    One more tensor, G, is kept a parameter. The noise is a function of ``seed``, step and place.

    Args:
        params: Parameters, named parameters or groups of them.
        lr: Learning rate, at least 0: how far every weight moves a step.
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
        >>> optimizer = lionkit.StoSignSGD([weight], lr=0.01, weight_decay=0.1, seed=1)

    References:
        Yu, Pan, Liu, Zhang, "StoSignSGD: Unbiased Structural Stochasticity Fixes SignSGD for Training Large Language
        Models", arXiv 2604.15416, the update rule, read in a secondary source; the paper's settings were not found,
        and the defaults are Signum's.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-4,
        beta: float = 0.9,
        weight_decay: float = 0.0,
        **options: Unpack[CommonOptions],
    ) -> None:
        super().__init__(params, lr, (beta, beta), weight_decay, kappa=L1(), direction=Dither(), **options)
