"""RLion: kappa = the integral of an arctangent."""

from __future__ import annotations

import math
from typing import Unpack, final

from torch import Tensor
from torch.optim.optimizer import ParamsT

from lionkit.kappa import Arctan
from lionkit.optim._lionk import LionK
from lionkit.optim._options import CommonOptions


@final
class RLion(LionK):
    r"""RLion: an arctangent for Lion's sign.

    Use it where Lion's weights should come to rest instead of going to and fro by ``lr``: far above :math:`1/\alpha`
    it is Lion, with ``lr`` in the weights' unit, far below it is gradient descent with learning rate
    :math:`2\alpha\eta/\pi`. So :math:`\alpha` depends on the scale of the loss; the rest is set as for Lion.

    .. math::
        c_k &= \beta_1 m_{k-1} + (1 - \beta_1) g_k \\
        \theta_{k+1} &= \theta_k - \eta\,\bigl(\tfrac2\pi \arctan(\alpha c_k) + \lambda \theta_k\bigr) \\
        m_k &= \beta_2 m_{k-1} + (1 - \beta_2) g_k

    With weight decay it has a log-cosine barrier at the walls of Lion's box: `lionkit.kappa.Arctan`. Both ports divide
    c by :math:`1 - \beta_1^k`; here ``momentum_init="gradient"`` makes the same first step.

    Args:
        params: Parameters, named parameters or groups of them.
        lr: Learning rate, at least 0: the most that a weight moves a step but for its decay.
        betas: Weight of the old momentum in the direction c, and in the new momentum; each in [0, 1).
        weight_decay: Decoupled decay, at least 0; the box has half-width 1 / weight_decay.
        alpha: Sharpness, above 0, in one over the unit of the gradient.
        **options: Those of `lionkit.LionK`: momentum_init, momentum_dtype, weight_decay_mode, weight_rounding, seed,
            maximize, foreach, capturable, differentiable, fused.

    Raises:
        ValueError: an option is out of its range, or not one for these parameters.
        RuntimeError: options exclude each other, or ask for a backend that is missing.

    Example:
        >>> import torch, lionkit
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        >>> optimizer = lionkit.RLion([weight], lr=0.01, weight_decay=0.1, alpha=100.0)
        >>> optimizer.defaults["kappa"]
        Arctan(e=0.01)

    References:
        Rong, Ma, Zhang, Cao, Kou, "A refined lion optimizer for deep learning", Scientific Reports 15, 23082 (2025),
        read in two ports; they differ in alpha (1 and 10) and in the momentum (one has a single beta), and the paper's
        alpha is not confirmed.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        alpha: float = 10.0,
        **options: Unpack[CommonOptions],
    ) -> None:
        if not 0 < alpha < math.inf:
            raise ValueError(f"Invalid alpha: {alpha}, it must be finite and above 0; the limit at infinity is Lion")
        super().__init__(params, lr, betas, weight_decay, kappa=Arctan(1 / alpha), **options)
