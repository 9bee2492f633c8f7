"""The one optimizer: every member of the family is this one with its seats filled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer, ParamsT, _to_scalar, _use_grad_for_differentiable

from lionkit import kernels
from lionkit.kappa import L1, Kappa
from lionkit.optim._options import MomentumInit, check_options
from lionkit.optim._state import kappas_described, momentum_dtype_kept, own_kappa

# torch 2.10 knows it by its older name, to be dropped with torch 2.10.
_GRAPH_CAPTURE_CHECKS = "_accelerator_graph_capture_health_check", "_cuda_graph_capture_health_check"
_check_graph_capture = getattr(Optimizer, next(name for name in _GRAPH_CAPTURE_CHECKS if hasattr(Optimizer, name)))


class LionK(Optimizer):
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
        momentum_init: "zeros", or "gradient" for :math:`m_0 = g_1`, as the convergence theorems have it.
        maximize: Ascend instead of descend.
        foreach: Step a whole list of tensors by one operator; None: on accelerators.
        capturable: The step may be captured in a CUDA graph; pass ``lr`` as a tensor to change it later.
        differentiable: Autograd can see through the step.
        fused: The native kernel, one pass over memory; None: where it is there and can step the tensors, and
            ``foreach`` is None as well. With True, a `GradScaler` leaves unscaling and skipped steps to it.

    Raises:
        ValueError: an option is out of its range.
        TypeError: ``kappa`` is not a `Kappa`, or ``params`` is a single tensor.
        RuntimeError: ``fused=True`` where the native kernel is missing or cannot step these parameters, or two
            of ``fused``, ``foreach`` and ``differentiable`` at once.

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
        momentum_init: MomentumInit = "zeros",
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
            "momentum_init": momentum_init,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
        }
        check_options(defaults)
        super().__init__(params, defaults)

    @property
    def _step_supports_amp_scaling(self) -> bool:
        """Asked by GradScaler, as of torch's own fused optimizers: whether a step unscales and skips by itself."""
        return all(group["fused"] for group in self.param_groups)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters, its options checked as the constructor checks its own."""
        if isinstance(param_group, dict):  # or torch says what is wrong
            check_options({**self.defaults, **param_group})
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        refusal = kernels.refusal(_real(group["params"]), group["kappa"]) if group["fused"] else None
        if refusal:
            self.param_groups.pop()
            raise RuntimeError(f"fused=True: {refusal}")

    @_use_grad_for_differentiable
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step.

        Args:
            closure: Evaluates the model again and returns the loss, with gradients enabled.

        Returns:
            What the closure returned, or None without one.

        Raises:
            RuntimeError: a gradient is sparse.
        """
        _check_graph_capture(self)
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        found_inf = getattr(self, "found_inf", None)  # of a GradScaler: the step is skipped, before any state is made
        if found_inf is not None and found_inf.item():
            return loss
        pairs = [self._with_gradient(group) for group in self.param_groups]  # all, before any is written to
        for group, (params, grads) in zip(self.param_groups, pairs, strict=True):
            if params:
                self._step_group(group, params, grads)
        return loss

    def _with_gradient(self, group: dict[str, Any]) -> tuple[list[Tensor], list[Tensor]]:
        """List the parameters that have a gradient, and the gradients."""
        params, grads = [], []
        for param in group["params"]:
            grad = param.grad
            if grad is None:
                continue
            if grad.layout is not torch.strided:
                raise RuntimeError(
                    f"{type(self).__name__} does not support sparse gradients: a parameter of shape "
                    f"{tuple(param.shape)} has one of layout {grad.layout}; convert it with to_dense()"
                )
            params.append(param)
            grads.append(grad)
        return params, grads

    def _step_group(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None:
        momenta = [self._momentum(param, grad, group) for param, grad in zip(params, grads, strict=True)]
        if any(param.is_complex() for param in params):
            params, grads, momenta = _real(params), _real(grads), _real(momenta)
        backend = kernels.select(params, **{name: group[name] for name in _BACKEND_OPTIONS})
        backend(
            params,
            grads,
            momenta,
            kappa=group["kappa"],
            lr=_to_scalar(group["lr"]),
            betas=group["betas"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
            **self._amp(),
        )

    def _amp(self) -> dict[str, Tensor]:
        """Return the scale that a `GradScaler` has left here for a fused step to divide by."""
        grad_scale = getattr(self, "grad_scale", None)
        return {} if grad_scale is None else {"grad_scale": grad_scale}

    def _momentum(self, param: Tensor, grad: Tensor, group: dict[str, Any]) -> Tensor:
        """Return the parameter's momentum, m0 of the first step where it has none yet."""
        state = self.state[param]
        if "exp_avg" not in state:
            if group["momentum_init"] == "gradient":
                first = grad / self._amp().get("grad_scale", 1)
                state["exp_avg"] = first.neg_() if group["maximize"] else first
            else:
                state["exp_avg"] = torch.zeros_like(param, memory_format=torch.preserve_format)
        return state["exp_avg"]

    def state_dict(self) -> dict[str, Any]:
        """Return the state in torch's form; a kappa is kept as its ``repr``, for `weights_only` loading."""
        with kappas_described(self):
            return super().state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state of this optimizer, or of any other that keeps its momentum as ``exp_avg``.

        Options that the saved groups lack are this optimizer's defaults. The momentum keeps the dtype it
        was saved in, where torch's own ``load_state_dict`` would cast it to the parameter's. Other state,
        such as AdamW's second moment, is left out.

        Raises:
            ValueError: the groups do not match, were saved with another kappa, or the state has no ``exp_avg``.
        """
        with momentum_dtype_kept(self):
            super().load_state_dict(state_dict)

    def __setstate__(self, state: dict[str, Any]) -> None:
        defaults = state.get("defaults") or self.defaults  # the first when unpickled, the second when loaded
        own_groups = self.__dict__.get("param_groups") or state["param_groups"]
        for own, loaded in zip(own_groups, state["param_groups"], strict=True):
            loaded["kappa"] = own_kappa(own.get("kappa", defaults["kappa"]), loaded.get("kappa"))
            if loaded.get("foreach"):  # what the file says of one backend excludes the default of the other
                loaded.setdefault("fused", None)
            for name, default in defaults.items():
                loaded.setdefault(name, default)
            # Saved where there was a kernel for them, as by a fused AdamW on another device.
            if loaded["fused"] and kernels.refusal(_real(loaded["params"]), loaded["kappa"]):
                loaded["fused"] = None
            check_options(loaded)
        super().__setstate__(state)


_BACKEND_OPTIONS = ("kappa", "foreach", "fused", "differentiable")


def _real(tensors: list[Tensor]) -> list[Tensor]:
    """View complex tensors as pairs of reals: what a backend steps."""
    return [torch.view_as_real(tensor) if tensor.is_complex() else tensor for tensor in tensors]
