"""Lion with implicit gradient transport: the sign oracle of LMO-IGT."""

from __future__ import annotations

from typing import Unpack, final

from torch import Tensor
from torch.optim.optimizer import ParamsT

from lionkit.kappa import L1
from lionkit.optim._igt import IGT
from lionkit.optim._lionk import LionK
from lionkit.optim._options import CommonOptions


@final
class LionIGT(LionK):
    r"""Sign descent with implicit gradient transport: gradients are taken ahead of the weights.

    Use it for less lag of the momentum at one gradient a step; the settings are Signum's. The point ahead is
    :math:`\beta / (1 - \beta)` steps away, 9 for 0.9 and 99 for 0.99: a long momentum wants a small lr.

    .. math::
        y_k &= \theta_k + \tfrac{\beta}{1 - \beta} (\theta_k - \theta_{k-1}) \\
        m_k &= \beta m_{k-1} + (1 - \beta)\, g(y_k; \xi_k), \qquad m_0 = g_1 \\
        \theta_{k+1} &= \theta_k - \eta\,(\operatorname{sign}(m_k) + \lambda \theta_k)

    Between steps the model holds :math:`y_k`. Call ``optimizer.eval()`` before evaluating or saving the model and
    ``optimizer.train()`` after; one more tensor is kept a parameter. For a quadratic without noise :math:`m_k`
    is exactly the gradient at :math:`\theta_k`.

    This is a reconstruction: the paper's own algorithm was not found. It is the algorithm NIGT with a sign for its
    normalised step.

    Args:
        params: Parameters, named parameters or groups of them.
        lr: Learning rate, at least 0: how far every weight moves a step, in the weights' unit.
        beta: Weight of the old momentum in the new, in [0, 1).
        weight_decay: Decoupled decay, at least 0; the box has half-width 1 / weight_decay.
        **options: Those of `lionkit.LionK`: momentum_init, momentum_dtype, weight_decay_mode, weight_rounding, seed,
            maximize, foreach, capturable, differentiable, fused.

    Raises:
        ValueError: an option is out of its range, or not one for these parameters.
        RuntimeError: options exclude each other, or ask for a backend that is missing; in `step`, after `eval`.

    Example:
        >>> import torch, lionkit
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        >>> optimizer = lionkit.LionIGT([weight], lr=0.01, beta=0.8)
        >>> weight.square().sum().backward()
        >>> optimizer.step()
        >>> weight.data  # 4 steps of 0.01 ahead
        tensor([ 0.9500, -1.9500])
        >>> optimizer.eval()
        >>> weight.data
        tensor([ 0.9900, -1.9900])

    References:
        Jang, Lee, "Accelerating LMO-Based Optimization via Implicit Gradient Transport", arXiv 2605.05577 (abstract).
        Cutkosky, Mehta, "Momentum Improves Normalized SGD", arXiv 2002.03305, the algorithm NIGT.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-4,
        beta: float = 0.9,
        weight_decay: float = 0.0,
        **options: Unpack[CommonOptions],
    ) -> None:
        options.setdefault("momentum_init", "gradient")
        super().__init__(params, lr, (beta, beta), weight_decay, kappa=L1(), gradient=IGT(), **options)
