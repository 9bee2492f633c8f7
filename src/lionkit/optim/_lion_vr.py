"""Lion-VR: Lion on a STORM momentum."""

from __future__ import annotations

from typing import Unpack, final

from torch import Tensor
from torch.optim.optimizer import ParamsT

from lionkit.kappa import L1
from lionkit.optim._lionk import LionK
from lionkit.optim._options import CommonOptions
from lionkit.optim._storm import STORM


@final
class LionVR(LionK):
    r"""Lion with variance reduction: the momentum follows the weights by a second gradient on each batch.

    Use it where the noise of the gradient, not its cost, is what holds Lion back: a step costs two evaluations. The
    settings are Lion's, with a :math:`\beta_2` nearer to 1 the longer the run.

    .. math::
        \theta_{k+1} &= \theta_k - \eta\,\bigl(\operatorname{sign}(\beta_1 m_{k-1} + (1 - \beta_1) g_k)
        + \lambda \theta_k\bigr) \\
        m_k &= \beta_2 m_{k-1} + (1 - \beta_2) g_k + \beta_2 \bigl(g_k - g(\theta_{k-1}; \xi_k)\bigr)

    `step` needs a closure that clears the gradients, evaluates the present batch and returns the loss; random numbers
    that it draws, as dropout does, are the same in both evaluations, and buffers, as batch norm's, see both. The first
    step has one evaluation, and :math:`m_0 = g_1`. The weights of the last step are kept beside the momentum;
    parameters that are frozen, or step by another rule, stand where they are in both evaluations.

    Args:
        params: Parameters, named parameters or groups of them.
        lr: Learning rate, at least 0: how far every weight moves a step, in the weights' unit.
        betas: Weight of the old momentum in the direction, and in the new momentum; each in [0, 1). The paper's
            are the weights of the new gradient.
        weight_decay: Decoupled decay, at least 0; the box has half-width 1 / weight_decay.
        **options: Those of `lionkit.LionK`: momentum_init, momentum_dtype, weight_decay_mode, weight_rounding, seed,
            maximize, foreach, capturable, differentiable, fused.

    Raises:
        ValueError: an option is out of its range, or not one for these parameters; in `step`, there is no closure.
        RuntimeError: options exclude each other, or ask for a backend that is missing.

    Example:
        >>> import torch, lionkit
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        >>> optimizer = lionkit.LionVR([weight], lr=0.01, weight_decay=0.1)
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = weight.square().sum()
        ...     loss.backward()
        ...     return loss
        >>> optimizer.step(closure).item()
        5.0

    References:
        Jiang, Zhang, "Convergence Analysis of the Lion Optimizer in Centralized and Distributed Settings", arXiv
        2508.12327, Theorem 2 and its algorithm, read in a secondary source.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        **options: Unpack[CommonOptions],
    ) -> None:
        options.setdefault("momentum_init", "gradient")
        super().__init__(params, lr, betas, weight_decay, kappa=L1(), gradient=STORM(), **options)
