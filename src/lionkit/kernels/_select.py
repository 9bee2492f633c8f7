"""Which backend steps which tensors, and why."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim.optimizer import _default_to_fused_or_foreach

from lionkit.kernels import _native
from lionkit.kernels._batched import batched
from lionkit.kernels._foreach import foreach as foreach_backend
from lionkit.kernels._reference import reference
from lionkit.kernels._schema import Backend, Geometry


def select(
    params: list[Tensor], *, kappa: Geometry, foreach: bool | None, fused: bool | None, differentiable: bool
) -> Backend:
    """Return the backend for these tensors: what was asked for, or the fastest that is there.

    Args:
        params: Real tensors of any devices and dtypes.
        kappa: The geometry.
        foreach: True and False choose; None leaves the choice.
        fused: True asks for the native kernel, False rules it out; None takes it where it can step these
            tensors and nothing else was asked for.
        differentiable: Whether autograd must see the step; only the reference can be looked through.

    Raises:
        RuntimeError: ``fused`` is True and the native kernel cannot step these tensors.
    """
    if fused:
        refusal = _native.refusal(params, kappa)
        if refusal:
            raise RuntimeError(f"fused=True: {refusal}")
        return _native.native
    free = fused is None and foreach is None and not differentiable and not torch.compiler.is_compiling()
    if free and _native.is_at_home(params, kappa):
        return _native.native
    if foreach is None:
        # torch's own rule: plain tensors on a device with horizontally fused kernels.
        _, foreach = _default_to_fused_or_foreach(params, differentiable, use_fused=False)
        if not foreach and not differentiable and _native.are_plain(params) and kappa.batches(params) is not None:
            return batched
    return foreach_backend if foreach else reference


def describe() -> str:
    """Say which backends this build has and when each is taken, in a few lines for people.

    >>> from lionkit import kernels
    >>> print(kernels.describe().splitlines()[-1])
    reference  every tensor on its own; taken elsewhere, and where autograd must see the step
    """
    found = _native.MISSING or f"one pass in C++, {torch.ops.lionkit.instruction_set()}; taken for plain CPU tensors"
    return "\n".join(
        [
            f"native     {found}",
            "foreach    lists of tensors; taken on accelerators, and for what is not dense beside the native kernel",
            "batched    the lists of a kappa that has some, as small matrices; taken elsewhere",
            "reference  every tensor on its own; taken elsewhere, and where autograd must see the step",
        ]
    )
