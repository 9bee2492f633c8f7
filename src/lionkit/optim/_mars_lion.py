"""MARS-Lion: the sign of a momentum of variance-reduced gradients."""

from __future__ import annotations

from typing import Unpack, final

from torch import Tensor
from torch.optim.optimizer import ParamsT

from lionkit.kappa import L1
from lionkit.optim._lionk import LionK
from lionkit.optim._mars import MARS
from lionkit.optim._options import CommonOptions


@final
class MARSLion(LionK):
    r"""MARS-Lion: Lion with one beta, on gradients that are corrected by their change.

    Use it where Lion would stand; its authors' lr is 30 times Lion's, and they tuned MARS-AdamW alone.

    .. math::
        c_k &= g_k + \gamma \tfrac{\beta}{1 - \beta} (g_k - g'_k), \qquad \tilde c_k = c_k / \max(1, \|c_k\|_2) \\
        m_k &= \beta m_{k-1} + (1 - \beta) \tilde c_k \\
        \theta_{k+1} &= \theta_k - \eta\,(\operatorname{sign}(m_k) + \lambda \theta_k)

    :math:`g'_k` is the gradient of the last step, or with ``exact=True`` that of the present batch at the weights of
    the last step: `step` then needs a closure and evaluates it twice. One more tensor is kept a parameter. The
    authors' code steps all but matrices by AdamW; here all parameters are stepped alike.

    Args:
        params: Parameters, named parameters or groups of them.
        lr: Learning rate, at least 0: how far every weight moves a step, in the weights' unit.
        beta: Weight of the old momentum in the new, in [0, 1).
        weight_decay: Decoupled decay, at least 0; the box has half-width 1 / weight_decay.
        gamma: How much of the change counts, at least 0; with 0 and no clipping it is `Signum`.
        exact: Evaluate each batch at two points.
        max_norm: What the l2 norm of each parameter's corrected gradient is clipped to, above 0; 1 as published.
        **options: Those of `lionkit.LionK`: momentum_init, momentum_dtype, weight_decay_mode, weight_rounding, seed,
            maximize, foreach, capturable, differentiable, fused.

    Raises:
        ValueError: an option is out of its range, or not one for these parameters; in `step`, there is no closure.
        RuntimeError: options exclude each other, or ask for a backend that is missing.

    Example:
        >>> import torch, lionkit
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        >>> optimizer = lionkit.MARSLion([weight], lr=0.01, weight_decay=0.1)
        >>> optimizer.defaults["gradient"]
        MARS(gamma=0.025, exact=False, max_norm=1.0)

    References:
        Yuan et al., "MARS: Unleashing the Power of Variance Reduction for Training Large Models", arXiv 2411.10438,
        the algorithm MARS-Lion, and its repository, whose defaults these are.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 3e-3,
        beta: float = 0.95,
        weight_decay: float = 0.0,
        *,
        gamma: float = 0.025,
        exact: bool = False,
        max_norm: float = 1.0,
        **options: Unpack[CommonOptions],
    ) -> None:
        gradient = MARS(gamma, exact, max_norm)
        super().__init__(params, lr, (beta, beta), weight_decay, kappa=L1(), gradient=gradient, **options)
