"""signSGD: the sign of the gradient."""

from __future__ import annotations

from typing import Unpack, final

from torch import Tensor
from torch.optim.optimizer import ParamsT

from lionkit.kappa import L1
from lionkit.optim._lionk import LionK
from lionkit.optim._options import CommonOptions


@final
class SignSGD(LionK):
    r"""signSGD: the sign of the gradient, without a momentum.

    Use it as the plainest sign descent, or beside Lion to see what the momentum is worth. Every weight moves by
    ``lr``, in the weights' unit, whatever its gradient; the settings are Lion's.

    .. math:: \theta_{k+1} = \theta_k - \eta\,(\operatorname{sign}(g_k) + \lambda \theta_k)

    It is Lion with betas (0, 0): the state is the last gradient, which nothing reads, and which
    ``momentum_dtype="int4"`` keeps in half a byte a parameter.

    Args:
        params: Parameters, named parameters or groups of them.
        lr: Learning rate, at least 0: how far every weight moves a step.
        weight_decay: Decoupled decay, at least 0; the box has half-width 1 / weight_decay.
        **options: Those of `lionkit.LionK`: momentum_init, momentum_dtype, weight_decay_mode, weight_rounding, seed,
            maximize, foreach, capturable, differentiable, fused.

    Raises:
        ValueError: an option is out of its range, or not one for these parameters.
        RuntimeError: options exclude each other, or ask for a backend that is missing.

    Example:
        >>> import torch, lionkit
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        >>> optimizer = lionkit.SignSGD([weight], lr=0.01, weight_decay=0.1)
        >>> weight.square().sum().backward()
        >>> optimizer.step()
        >>> weight.data
        tensor([ 0.9890, -1.9880])

    References:
        Bernstein et al., "signSGD: Compressed Optimisation for Non-Convex Problems", arXiv 1802.04434, Algorithm 1.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-4,
        weight_decay: float = 0.0,
        **options: Unpack[CommonOptions],
    ) -> None:
        super().__init__(params, lr, (0.0, 0.0), weight_decay, kappa=L1(), **options)
