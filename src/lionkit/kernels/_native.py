"""The native kernel: one pass over memory on torch's own threads. Its C++ is in csrc/."""

from __future__ import annotations

from itertools import compress
from pathlib import Path

import torch
from torch import Tensor, nn

from lionkit.kernels._foreach import foreach
from lionkit.kernels._schema import Geometry

_LIBRARY = Path(__file__).parents[1] / "_native.bin"
_DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
_PLAIN = (Tensor, nn.Parameter)


def _load() -> str | None:
    """Load the library; say why where it cannot be."""
    if not _LIBRARY.exists():
        return (
            "this build has no native kernel: torch or a C++ compiler was missing at installation, or failed (pip -v)"
        )
    try:
        torch.ops.load_library(_LIBRARY)
    except OSError as error:
        return f"the native kernel cannot be loaded: {error.__cause__ or error}"
    return None


MISSING = _load()


def refusal(params: list[Tensor], kappa: Geometry) -> str | None:
    """Say why the native kernel cannot step these real tensors, or return None where it can."""
    if MISSING:
        return MISSING
    if kappa.kernel is None:
        return f"the native kernel does not know {kappa!r}"
    for param in params:
        if type(param) not in _PLAIN or not param.is_cpu or param.dtype not in _DTYPES:
            return (
                "the native kernel steps plain CPU tensors of float32, float64, bfloat16 and float16; "
                f"there is a {type(param).__name__} of {param.dtype} on {param.device}"
            )
    return None


def native(
    params: list[Tensor],
    grads: list[Tensor],
    momenta: list[Tensor],
    *,
    kappa: Geometry,
    lr: float | Tensor,
    betas: tuple[float, float],
    weight_decay: float,
    maximize: bool,
    grad_scale: Tensor | None = None,
) -> None:
    """Step what lies in memory without gaps in one pass; the rest takes the foreach path in the same step.

    Arguments are those of every `Backend`, and ``grad_scale``, a 1-element tensor that divides the gradients as
    they are read; they are not written to.
    """
    left = torch.ops.lionkit.step_.default(
        params,
        grads,
        momenta,
        torch.as_tensor(lr, dtype=torch.float64, device="cpu"),  # whatever the default device is
        kappa.kernel,
        *betas,
        weight_decay,
        maximize,
        grad_scale,
    )
    torch.autograd.graph.increment_version([*params, *momenta])  # a stale graph must not go backward
    if left.any():
        params, grads, momenta = (list(compress(tensors, left.tolist())) for tensors in (params, grads, momenta))
        if grad_scale is not None:  # in float32, where a scaled half precision would underflow
            grads = [grad.to(torch.promote_types(grad.dtype, torch.float32)) / grad_scale for grad in grads]
        foreach(params, grads, momenta, kappa=kappa, lr=lr, betas=betas, weight_decay=weight_decay, maximize=maximize)
