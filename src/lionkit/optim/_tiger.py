"""Tiger: Signum, with the settings of its author."""

from __future__ import annotations

from typing import Unpack, final

from torch import Tensor
from torch.optim.optimizer import ParamsT

from lionkit.kappa import L1
from lionkit.optim._lionk import LionK
from lionkit.optim._options import CommonOptions


@final
class Tiger(LionK):
    r"""Tiger, the tight-fisted optimizer: Lion with one beta.

    Its point is gradient accumulation without a buffer of its own, as the momentum alone makes the step. The rule is
    `Signum`'s, the defaults are the author's for language models.

    .. math::
        m_k &= \beta m_{k-1} + (1 - \beta) g_k \\
        \theta_{k+1} &= \theta_k - \eta\,(\operatorname{sign}(m_k) + \lambda \theta_k)

    The author's code multiplies lr by the root mean square of each parameter (of each row of an embedding), which the
    ports leave out as this class does: with weights of 0.02, his 1e-3 is 2e-5 here. It also gives biases and norms
    half of the lr and no decay, as groups can here, and shrinks weights where a gradient is nan, which here shows.

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
        >>> lionkit.Tiger([weight]).defaults["betas"]
        (0.965, 0.965)

    References:
        Su, "Tiger: A Tight-fisted Optimizer", 2023, kexue.fm/archives/9512, the first equation, and the repository
        bojone/tiger, whose defaults these are.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        beta: float = 0.965,
        weight_decay: float = 0.01,
        **options: Unpack[CommonOptions],
    ) -> None:
        super().__init__(params, lr, (beta, beta), weight_decay, kappa=L1(), **options)
