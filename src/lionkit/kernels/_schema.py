"""What a backend is, and the operators: the one seam between the optimizer and the hardware."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import torch
from torch import Tensor


class Geometry(Protocol):
    """The part of a kappa that a step needs."""

    @property
    def kernel(self) -> str | None:
        """The native kernel's name for it."""
        ...

    @property
    def kernel_parameter(self) -> float:
        """What else the native kernel must know of it; 0 where there is nothing."""
        ...

    def gradient(self, x: Tensor) -> Tensor:
        """Map one tensor."""
        ...

    def foreach_gradient(self, xs: list[Tensor]) -> list[Tensor]:
        """Map a list of tensors."""
        ...

    def batches(self, xs: Sequence[Tensor]) -> Iterable[list[int]] | None:
        """Part such a list into what a CPU should map together; None: each on its own."""
        ...


class Backend(Protocol):
    """One Lion-K step over lists of real tensors, in place on ``params`` and ``momenta``.

    ``params[i]``, ``grads[i]`` and ``momenta[i]`` have one shape; the momentum may have a dtype of its own.
    ``grads`` are only read. A tensor ``lr`` is 0-dimensional and is never brought to the host.
    """

    def __call__(
        self,
        params: list[Tensor],
        grads: list[Tensor],
        momenta: list[Tensor],
        *,
        kappa: Geometry,
        lr: float | Tensor,
        betas: tuple[float, float],
        weight_decay: float,
        maximize: bool,
    ) -> list[int] | None:
        """Take the step; the native kernel alone may leave some tensors as they are, and returns their indices."""
        ...


# Implementations register themselves: csrc/operator.cpp for the CPU.
_library = torch.library.Library("lionkit", "DEF")
_library.define(
    "step_(Tensor(a!)[] params, Tensor[] grads, Tensor(b!)[] momenta, Tensor(c!)[] scales, Tensor(d!)[] compensations, "
    "Tensor lr, str kappa, float kappa_parameter, float beta1, float beta2, float weight_decay, bool cautious, "
    "float? mask_offset, float mask_least, bool maximize, bool stochastic, int noise, "
    "Tensor? grad_scale=None, Tensor(e!)? statistics=None) -> Tensor"
)
_library.define("instruction_set() -> str")


@torch.library.register_fake("lionkit::step_", lib=_library)
def _(
    params: list[Tensor],
    grads: list[Tensor],
    momenta: list[Tensor],
    scales: list[Tensor],
    compensations: list[Tensor],
    lr: Tensor,
    kappa: str,
    kappa_parameter: float,
    beta1: float,
    beta2: float,
    weight_decay: float,
    cautious: bool,
    mask_offset: float | None,
    mask_least: float,
    maximize: bool,
    stochastic: bool,
    noise: int,
    grad_scale: Tensor | None = None,
    statistics: Tensor | None = None,
) -> Tensor:
    """What is written keeps its shape; returned is, for each parameter, whether it was left to another backend."""
    return lr.new_empty(len(params), dtype=torch.bool)
