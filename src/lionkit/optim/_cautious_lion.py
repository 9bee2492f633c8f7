"""C-Lion: Lion, only where direction and gradient agree."""

from __future__ import annotations

from typing import Unpack, final

from torch import Tensor
from torch.optim.optimizer import ParamsT

from lionkit.kappa import L1
from lionkit.optim._cautious_mask import CautiousMask, Normalisation
from lionkit.optim._lionk import LionK
from lionkit.optim._options import CommonOptions


@final
class CautiousLion(LionK):
    r"""C-Lion: Lion without the coordinates whose direction is against the present gradient.

    Use it where Lion would stand, with its settings; the authors tune lr anew, to the same or a larger one.

    .. math::
        u_k &= \operatorname{sign}(\beta_1 m_{k-1} + (1 - \beta_1) g_k), \qquad \phi_k = [u_k \odot g_k > 0] \\
        \theta_{k+1} &= \theta_k - \eta\,(\alpha_k\, \phi_k \odot u_k + \lambda \theta_k) \\
        m_k &= \beta_2 m_{k-1} + (1 - \beta_2) g_k

    A weight moves by :math:`\eta\alpha_k` or not at all, with :math:`\alpha_k` about one over the share of coordinates
    that agree, which grows without bound as they get few: ``lr`` is the mean distance, in the weights' unit, and
    Lion's box holds only up to the factor :math:`\max_k \alpha_k`. All weights decay. It is not `CLion`.

    Args:
        params: Parameters, named parameters or groups of them.
        lr: Learning rate, at least 0: how far weights move a step on average.
        betas: Weight of the old momentum in the direction, and in the new momentum; each in [0, 1).
        weight_decay: Decoupled decay, at least 0.
        normalisation: What :math:`\alpha` is: "published", or "eps", "clamp_1e-3" or "clamp_1e-5" as in other
            libraries; see `lionkit.optim.CautiousMask`.
        **options: Those of `lionkit.LionK`: momentum_init, momentum_dtype, weight_decay_mode, weight_rounding, seed,
            maximize, foreach, capturable, differentiable, fused.

    Raises:
        ValueError: an option is out of its range, or not one for these parameters.
        RuntimeError: options exclude each other, or ask for a backend that is missing.

    Example:
        >>> import torch, lionkit
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.0]))
        >>> optimizer = lionkit.CautiousLion([weight], lr=0.01, weight_decay=0.1)
        >>> weight.square().sum().backward()
        >>> optimizer.step()  # alpha = 3 / (2 + 1)
        >>> weight.data
        tensor([ 0.9890, -1.9880,  0.0000])

    References:
        Liang et al., "Cautious Optimizers: Improving Training with One Line of Code", arXiv 2411.16085, Algorithm 1,
        and the repository's C-Lion, whose defaults these are.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-4,
        betas: tuple[float, float] = (0.95, 0.98),
        weight_decay: float = 0.0,
        *,
        normalisation: Normalisation = "published",
        **options: Unpack[CommonOptions],
    ) -> None:
        direction = CautiousMask(normalisation)
        super().__init__(params, lr, betas, weight_decay, kappa=L1(), direction=direction, **options)
