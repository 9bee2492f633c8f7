"""Which backend steps which tensors."""

from __future__ import annotations

from torch import Tensor
from torch.optim.optimizer import _default_to_fused_or_foreach

from lionkit.kernels._foreach import foreach as foreach_backend
from lionkit.kernels._reference import reference
from lionkit.kernels._schema import Backend


def select(params: list[Tensor], *, foreach: bool | None, differentiable: bool) -> Backend:
    """Return the backend for these tensors: what was asked for, or torch's own rule where nothing was.

    Args:
        params: The parameters of the step, of any devices and dtypes.
        foreach: True and False choose; None takes `foreach` where torch's optimizers would (plain tensors
            on an accelerator) and the reference elsewhere.
        differentiable: Whether autograd must see the step; only the reference can be looked through.
    """
    if foreach is None:
        _, foreach = _default_to_fused_or_foreach(list(params), differentiable, use_fused=False)
    return foreach_backend if foreach else reference
