"""MLorc-Lion: a momentum of low rank."""

from __future__ import annotations

from typing import Unpack, final

from torch import Tensor
from torch.optim.optimizer import ParamsT

from lionkit.kappa import L1
from lionkit.optim._lionk import LionK
from lionkit.optim._options import CommonOptions


@final
class MLorcLion(LionK):
    r"""MLorc-Lion: Lion that keeps the momentum of a matrix as factors of low rank.

    Use it to fine-tune where memory is short: a matrix of p by q keeps r (p + q + 1) numbers instead of p q. The
    gradient enters the sign at full rank, so that the weights' step is not of low rank.

    .. math::
        \tilde m &= U \operatorname{diag}(S) V \\
        \theta_{k+1} &= \theta_k - \eta\,\bigl(\operatorname{sign}(\beta_1 \tilde m + (1 - \beta_1) g_k)
        + \lambda \theta_k\bigr) \\
        (U, S, V) &\leftarrow \operatorname{RSVD}_r(\beta_2 \tilde m + (1 - \beta_2) g_k)

    The authors' code decays after the step, which multiplies its lr by :math:`1 - \eta\lambda`, and steps matrices
    alone; here all other parameters, and complex matrices, have Lion's dense momentum. A step composes one matrix at a
    time and decomposes it again, by torch's own operators and in float32 or better; the random directions are a
    function of ``seed`` and step.

    Args:
        params: Parameters, named parameters or groups of them.
        lr: Learning rate, at least 0: how far every weight moves a step, in the weights' unit.
        betas: Weight of the old momentum in the direction, and in the new momentum; each in [0, 1).
        weight_decay: Decoupled decay, at least 0; the box has half-width 1 / weight_decay.
        rank: The r above, at least 1 and at most the smaller side of every matrix; at full rank it is Lion.
        **options: Those of `lionkit.LionK`: momentum_init, momentum_dtype, weight_decay_mode, weight_rounding, seed,
            maximize, foreach, capturable, differentiable, fused.

    Raises:
        ValueError: an option is out of its range, or not one for these parameters.
        RuntimeError: options exclude each other, or ask for a backend that is missing.

    Example:
        >>> import torch, lionkit
        >>> weight = torch.nn.Parameter(torch.ones(64, 32))
        >>> optimizer = lionkit.MLorcLion([weight], lr=0.01, rank=2)
        >>> weight.square().sum().backward()
        >>> optimizer.step()
        >>> {name: tuple(factor.shape) for name, factor in optimizer.state[weight].items()}
        {'exp_avg_left': (64, 2), 'exp_avg_sizes': (2,), 'exp_avg_right': (2, 32)}

    References:
        "MLorc: Momentum Low-rank Compression for Large Language Model Adaptation", arXiv 2506.01897, and its
        repository's MLorc_Lion, whose defaults these are.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.95, 0.98),
        weight_decay: float = 0.05,
        *,
        rank: int = 4,
        **options: Unpack[CommonOptions],
    ) -> None:
        super().__init__(params, lr, betas, weight_decay, kappa=L1(), momentum_rank=rank, **options)
