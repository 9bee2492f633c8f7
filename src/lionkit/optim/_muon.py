"""Muon: kappa = the nuclear norm of a matrix."""

from __future__ import annotations

from typing import Unpack, final

from torch import Tensor
from torch.optim.optimizer import ParamsT

from lionkit.kappa import Spectral
from lionkit.kappa._spectral import Adjustment
from lionkit.optim._lionk import LionK
from lionkit.optim._options import CommonOptions


@final
class Muon(LionK):
    r"""Muon: the orthogonal factor of a momentum, for the matrices inside a network.

    Use it for hidden matrices; `lionkit.for_model` hands what it is not for (embeddings, the output layer, vectors) to
    a member that can take it. ``lr`` is how far every singular direction moves a step, in the unit of the weights'
    spectral norm, times the factor of ``adjust``; with "match_rms_adamw" take lr and weight_decay from AdamW.

    .. math::
        m_k &= \beta m_{k-1} + (1 - \beta) g_k \\
        \theta_{k+1} &= \theta_k - \eta\,\bigl(s\,\operatorname{msign}(\beta m_k + (1 - \beta) g_k)
        + \lambda \theta_k\bigr)

    It is Lion-K with betas :math:`(\beta^2, \beta)`, as :math:`\beta m_k + (1 - \beta) g_k = \beta^2 m_{k-1} +
    (1 - \beta^2) g_k`, or :math:`(\beta, \beta)` without Nesterov's momentum. Newton-Schulz steps are not exact: see
    `lionkit.kappa.Spectral`.

    Args:
        params: Real matrices, named or in groups.
        lr: Learning rate, at least 0.
        momentum: The beta above, in [0, 1).
        weight_decay: Decoupled decay, at least 0; the spectral norm ends up at about s / weight_decay at most.
        nesterov: Look ahead of the momentum.
        steps: Newton-Schulz steps, at least 1; None: the exact factor.
        adjust: The factor s, "original" or "match_rms_adamw", or None for 1.
        **options: Those of `lionkit.LionK`: momentum_init, momentum_dtype, weight_decay_mode, weight_rounding, seed,
            maximize, foreach, capturable, differentiable, fused.

    Raises:
        ValueError: an option is out of its range, or a parameter is not a real matrix.
        RuntimeError: options exclude each other, or ask for a backend that is missing.

    Example:
        >>> import torch, lionkit
        >>> weight = torch.nn.Parameter(torch.ones(8, 4))
        >>> optimizer = lionkit.Muon([weight], lr=0.02, weight_decay=0.1)
        >>> optimizer.defaults["kappa"]
        Spectral(steps=5, adjust='original')

    References:
        Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024, and the repository's code, whose
        defaults these are. Chen, Li, Liu, "Muon Optimizes Under Spectral Norm Constraints", arXiv 2506.15054.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        *,
        nesterov: bool = True,
        steps: int | None = 5,
        adjust: Adjustment | None = "original",
        **options: Unpack[CommonOptions],
    ) -> None:
        if not 0 <= momentum < 1:
            raise ValueError(f"Invalid momentum: {momentum}, it must be in [0, 1)")
        betas = (momentum**2 if nesterov else momentum, momentum)
        super().__init__(params, lr, betas, weight_decay, kappa=Spectral(steps, adjust), **options)
