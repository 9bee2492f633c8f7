"""Lion: kappa = l1."""

from __future__ import annotations

from typing import final

from torch import Tensor
from torch.optim.optimizer import ParamsT

from lionkit.kappa import L1
from lionkit.kernels import WeightRounding
from lionkit.momentum import MomentumDtype
from lionkit.optim._decay import WeightDecayMode
from lionkit.optim._lionk import LionK
from lionkit.optim._options import MomentumInit


@final
class Lion(LionK):
    r"""Lion: the sign of an interpolated momentum, with decoupled weight decay.

    Use it wherever AdamW would stand: it keeps one state a parameter instead of two. Coming from AdamW,
    take ``lr`` 3-10 times smaller and ``weight_decay`` 3-10 times larger, so that their product stays about
    the same, and scale the whole schedule. It likes large batches (64 and more). For language models
    ``betas=(0.95, 0.98)`` is the usual choice where AdamW has (0.9, 0.99).

    .. math::
        c_k &= \beta_1 m_{k-1} + (1 - \beta_1) g_k \\
        \theta_{k+1} &= \theta_k - \eta\,(\operatorname{sign}(c_k) + \lambda \theta_k) \\
        m_k &= \beta_2 m_{k-1} + (1 - \beta_2) g_k

    sign(0) is 0: a weight that has never had a gradient moves by its decay alone. With
    :math:`\lambda > 0` and :math:`\eta\lambda \le 1`, weights that start inside the box
    :math:`\|\theta\|_\infty \le 1/\lambda` stay there, and Lion solves
    :math:`\min f(\theta)` subject to it.

    Args:
        params: Parameters, named parameters or groups of them.
        lr: Learning rate, at least 0: how far every weight moves a step, in the weights' unit.
        betas: Weight of the old momentum in the direction c, and in the new momentum; each in [0, 1).
        weight_decay: Decoupled decay, at least 0; the box has half-width 1 / weight_decay.
        momentum_init: "zeros", or "gradient" for :math:`m_0 = g_1`, as the convergence theorems have it.
        momentum_dtype: How the momentum is kept: None in the parameter's dtype, "float32", "bfloat16", or as codes
            of a byte ("int8") or half a byte ("int4").
        weight_decay_mode: "lr", "absolute", "corrected" or "cautious": see `lionkit.LionK`.
        weight_rounding: How a half-precision weight takes a small step: "nearest", "stochastic" or "kahan".
        seed: Of the noise of stochastic roundings, in [0, 2**64).
        maximize: Ascend instead of descend.
        foreach: See `lionkit.LionK`, as for the options around.
        capturable: The step may be captured in a CUDA graph.
        differentiable: Autograd can see through the step.
        fused: The native kernel; None: where it is there and can step the tensors.

    Raises:
        ValueError: an option is out of its range, or not one for these parameters.
        TypeError: ``params`` is a single tensor.
        RuntimeError: ``fused=True`` where the native kernel is missing or cannot step these parameters, two of
            ``fused``, ``foreach`` and ``differentiable`` at once, or a rounding with one that excludes it.

    Example:
        >>> import torch, lionkit
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.0]))
        >>> optimizer = lionkit.Lion([weight], lr=0.01, weight_decay=0.1)
        >>> weight.square().sum().backward()
        >>> optimizer.step()
        >>> weight.data
        tensor([ 0.9890, -1.9880,  0.0000])

    References:
        Chen et al., "Symbolic Discovery of Optimization Algorithms", arXiv 2302.06675, Algorithm 2, and its
        guidance on lr and weight decay. Dong, Li, Lin, "Convergence Rate Analysis of LION",
        arXiv 2411.07724, Algorithm 1 and Theorem 2.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        momentum_init: MomentumInit = "zeros",
        momentum_dtype: MomentumDtype | None = None,
        weight_decay_mode: WeightDecayMode = "lr",
        weight_rounding: WeightRounding = "nearest",
        seed: int = 0,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            weight_decay,
            kappa=L1(),
            momentum_init=momentum_init,
            momentum_dtype=momentum_dtype,
            weight_decay_mode=weight_decay_mode,
            weight_rounding=weight_rounding,
            seed=seed,
            maximize=maximize,
            foreach=foreach,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
        )
