"""The native kernel: one pass over memory, two under a mask, on torch's own threads. Its C++ is in csrc/."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path

import torch
from torch import Tensor, nn

from lionkit.kernels._mask import Mask
from lionkit.kernels._schema import Geometry

_LIBRARY = Path(__file__).parents[1] / "_native.bin"
_DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
_PLAIN = {Tensor, nn.Parameter}
_is_cpu = attrgetter("is_cpu")


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


def are_plain(params: list[Tensor]) -> bool:
    """Whether none is spread over processes or otherwise of a class of its own."""
    return _PLAIN.issuperset(map(type, params))


def is_at_home(params: list[Tensor], kappa: Geometry) -> bool:
    """Whether to hand these tensors to the native kernel, which leaves what it has no loop for: asked at every step.

    Thousands of tensors are looked at in a tenth of the time that `refusal` takes to look for the one to name.
    """
    return not MISSING and kappa.kernel is not None and are_plain(params) and all(map(_is_cpu, params))


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
    cautious: bool = False,
    mask: Mask | None = None,
    grad_scale: Tensor | None = None,
    scales: Sequence[Tensor] = (),
    compensations: Sequence[Tensor] = (),
    weight_rounding: str = "nearest",
    noise: int = 0,
    statistics: Tensor | None = None,
) -> list[int]:
    """Step what lies in memory without gaps, and return the indices of what it has left untouched.

    Beside the arguments of every `Backend` there are:

    - ``cautious``: only weights decay that the step moves towards 0.
    - ``mask``: only coordinates move whose direction agrees with the gradient, and what makes up for the others; they
      are counted in a pass before the step. None: all move.
    - ``grad_scale``: a 1-element tensor that divides the gradients as they are read; they are not written to.
    - ``scales``: empty, or one tensor a parameter: where ``momenta`` has codes, their bfloat16 scales; an empty
      tensor where the momentum is dense.
    - ``compensations``: empty, or one tensor a parameter, in its dtype and shape: what Kahan rounding has kept
      back; an empty tensor where there is none.
    - ``weight_rounding``: "stochastic" rounds bfloat16 weights at random; for "kahan" give ``compensations``.
    - ``noise``: the step's key, of `lionkit.kernels.step_key`; read where something is rounded at random.
    - ``statistics``: a float64 tensor of `len(SUMS)` numbers, to be filled with the sums of what was stepped.
    """
    left = torch.ops.lionkit.step_.default(
        params,
        grads,
        momenta,
        scales,
        compensations,
        torch.as_tensor(lr, dtype=torch.float64, device="cpu"),  # whatever the default device is
        kappa.kernel,
        kappa.kernel_parameter,
        *betas,
        weight_decay,
        cautious,
        *((None, 0.0) if mask is None else mask),
        maximize,
        weight_rounding == "stochastic",
        noise,
        grad_scale,
        statistics,
    )
    torch.autograd.graph.increment_version([*params, *momenta])  # a stale graph must not go backward
    return left.nonzero().flatten().tolist() if left.any() else []
