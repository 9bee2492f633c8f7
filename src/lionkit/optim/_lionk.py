"""The one optimizer: every member of the family is this one with its seats filled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer, ParamsT, _use_grad_for_differentiable

from lionkit.kappa import L1, Kappa
from lionkit.kernels import WeightRounding
from lionkit.momentum import MomentumDtype
from lionkit.optim._base import OptimizerBase
from lionkit.optim._decay import WeightDecayMode
from lionkit.optim._direction import Direction
from lionkit.optim._gradient import GradientEstimate, begins_still, needs_closure, previous_gradients
from lionkit.optim._groups import step_groups
from lionkit.optim._igt import check_trains, to_evaluate, to_train
from lionkit.optim._options import MomentumInit
from lionkit.optim._step import with_gradient

# torch 2.10 knows it by its older name, to be dropped with torch 2.10.
_GRAPH_CAPTURE_CHECKS = "_accelerator_graph_capture_health_check", "_cuda_graph_capture_health_check"
_check_graph_capture = getattr(Optimizer, next(name for name in _GRAPH_CAPTURE_CHECKS if hasattr(Optimizer, name)))


class LionK(OptimizerBase):
    r"""A momentum, seen through a geometry kappa, with decoupled decay.

    .. math::
        c_k &= \beta_1 m_{k-1} + (1 - \beta_1) g_k \\
        \theta_{k+1} &= (1 - \eta\lambda)\,\theta_k - \eta\,\nabla\kappa(c_k) \\
        m_k &= \beta_2 m_{k-1} + (1 - \beta_2) g_k

    It minimises :math:`f(\theta) + \frac{1}{\lambda}\kappa^*(\lambda\theta)`; ``kappa.problem`` says what
    that is in words. With ``kappa=L1()`` it is `lionkit.Lion`; use this class to choose another geometry.

    A step keeps the whole contract of ``torch.optim``: gradients are never written to, a parameter whose
    gradient is None is left alone, sparse gradients are refused. Complex parameters are stepped as pairs of
    real ones. A gradient that is not finite makes its weight nan, so that a broken run shows in its loss.

    Args:
        params: Parameters, named parameters or groups of them. Every option below but the backend's
            (`differentiable`) may differ from group to group.
        lr: Learning rate, at least 0; a float or a 1-element tensor. Its unit depends on kappa.
        betas: Weight of the old momentum in the direction c, and in the new momentum; each in [0, 1).
        weight_decay: Decoupled decay, at least 0: weights shrink by ``1 - lr * weight_decay`` a step.
        kappa: The geometry.
        gradient: The estimate of the gradient that enters, as `lionkit.optim.MARS`, `STORM` or `IGT`; None: the
            minibatch's.
        direction: What is made of the kappa's direction, as `lionkit.optim.CautiousMask`, `Gate` or `Dither`; None:
            nothing. The native kernel knows the mask; along the others the reference and the foreach path step.
        momentum_init: "zeros", or "gradient" for :math:`m_0 = g_1`, as the convergence theorems have it.
        momentum_dtype: How the momentum is kept: None in the parameter's dtype; "float32" or "bfloat16"; "int8" or
            "int4" as codes in blocks of 128 with one scale each, 1.02 and 0.52 bytes a parameter. Parameters of fewer
            than 4096 elements keep float32 there; complex ones are complex64 wherever they are not codes.
        momentum_rank: Keep the momentum of every real matrix as factors of this rank, at least 1 and at most the
            smaller side. None: whole.
        weight_decay_mode: What the decay of a step is. "lr": ``lr * weight_decay``, as in AdamW. "absolute":
            ``lr / lr0 * weight_decay`` with the lr that the group began with, so that it does not depend on the peak;
            "corrected": ``lr * lr / lr0 * weight_decay``, smaller still late in a schedule; "cautious": as "lr", but
            only of weights that the step moves towards 0, which constrains nothing.
        weight_rounding: How a half-precision weight is rounded: "nearest"; "stochastic" (bfloat16 alone), up or down
            at random so that small steps count on average; "kahan", with what was lost kept as state, 2 bytes a
            parameter. Weights of float32 and float64 ignore it.
        seed: Of the noise of stochastic roundings, in [0, 2**64). Noise is a function of seed, step and place: the
            same for any number of threads, and after a resume.
        maximize: Ascend instead of descend.
        foreach: Step a whole list of tensors by one operator; None: on accelerators.
        capturable: The step may be captured in a CUDA graph; pass ``lr`` as a tensor to change it later.
        differentiable: Autograd can see through the step.
        fused: The native kernel, one pass over memory; None: where it is there and can step the tensors, and
            ``foreach`` is None as well. With True, a `GradScaler` leaves unscaling and skipped steps to it.

    Raises:
        ValueError: an option is out of its range, or not one for these parameters.
        TypeError: ``kappa`` is not a `Kappa`, another seat is filled with what does not fit it, or ``params`` is a
            single tensor.
        RuntimeError: ``fused=True`` where the native kernel is missing, cannot step these parameters or has no loop for
            the direction, two of ``fused``, ``foreach`` and ``differentiable`` at once, or a rounding or a filled seat
            with one that excludes it.

    Example:
        >>> import torch, lionkit
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        >>> optimizer = lionkit.LionK([weight], lr=0.1, kappa=lionkit.kappa.HalfSquaredL2())
        >>> weight.square().sum().backward()
        >>> optimizer.step()
        >>> weight.data  # 1 - 0.1 * (1 - 0.9) * 2
        tensor([ 0.9800, -1.9600])

    References:
        Chen, Liu, Liang, Liu, "Lion Secretly Solves Constrained Optimization: As Lyapunov Predicts",
        arXiv 2310.05898. Dong, Li, Lin, "Convergence Rate Analysis of LION", arXiv 2411.07724, Algorithm 1.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        kappa: Kappa = L1(),  # noqa: B008  (frozen)
        gradient: GradientEstimate | None = None,
        direction: Direction | None = None,
        momentum_init: MomentumInit = "zeros",
        momentum_dtype: MomentumDtype | None = None,
        momentum_rank: int | None = None,
        weight_decay_mode: WeightDecayMode = "lr",
        weight_rounding: WeightRounding = "nearest",
        seed: int = 0,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "weight_decay": weight_decay,
            "kappa": kappa,
            "gradient": gradient,
            "direction": direction,
            "momentum_init": momentum_init,
            "momentum_dtype": momentum_dtype,
            "momentum_rank": momentum_rank,
            "weight_decay_mode": weight_decay_mode,
            "reference_lr": None,  # the lr that the group began with, where its decay refers to it
            "agreement": None,  # of several processes: see lionkit.distributed.agree
            "weight_rounding": weight_rounding,
            "seed": seed,
            "noise_step": 0,  # how many steps of the group have used noise
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    @_use_grad_for_differentiable
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step.

        Args:
            closure: Evaluates the model again and returns the loss, with gradients enabled. A gradient of two points
                needs one, and evaluates it twice, on the same random numbers: it must clear the gradients itself.

        Returns:
            What the closure returned, or None without one.

        Raises:
            RuntimeError: a gradient is sparse, or the weights are those that `eval` has put in place.
            ValueError: there is no closure where two gradients are needed.
        """
        _check_graph_capture(self)
        loss, previous = None, {}
        if two_points := needs_closure(self.param_groups):
            if closure is not None:
                previous = previous_gradients(closure, self.param_groups, self.state)
            elif not begins_still(self.param_groups, self.state):
                raise ValueError(f"step() of gradient={two_points[0]!r} needs a closure: it takes two gradients a step")
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        found_inf = getattr(self, "found_inf", None)  # of a GradScaler: the step is skipped, before any state is made
        if found_inf is not None and found_inf.item():
            return loss
        pairs = [with_gradient(group, type(self).__name__) for group in self.param_groups]  # before any is written
        observed = any(observation.is_due() for observation in self._observations)
        grad_scale = getattr(self, "grad_scale", None)  # what a GradScaler has left for a fused step to divide by
        check_trains(self.param_groups, self.state)
        sums = step_groups(
            self.param_groups, pairs, self.state, previous=previous, grad_scale=grad_scale, observed=observed
        )
        for observation in list(self._observations):  # a callback may remove its own
            observation.note(sums, self.param_groups)
        self._watch.look(self.param_groups, self.state)
        return loss

    def eval(self) -> None:
        """Put the weights to evaluate in place of the point ahead, where `lionkit.optim.IGT` looks ahead of them.

        Elsewhere, and a second time, it does nothing. Save a model and its optimizer in the same of the two states.
        """
        to_evaluate(self.param_groups, self.state)

    def train(self) -> None:
        """Take `eval` back, before the next gradient; bit by bit."""
        to_train(self.param_groups, self.state)
