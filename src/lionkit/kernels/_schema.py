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


# Implementations register themselves: csrc/operator.cpp and csrc/bits_operators.cpp for the CPU.
_library = torch.library.Library("lionkit", "DEF")
_library.define(
    "step_(Tensor(a!)[] params, Tensor[] grads, Tensor(b!)[] momenta, Tensor(c!)[] scales, Tensor(d!)[] compensations, "
    "Tensor lr, str kappa, float kappa_parameter, float beta1, float beta2, float weight_decay, bool cautious, "
    "float? mask_offset, float mask_least, bool maximize, bool stochastic, int noise, "
    "Tensor? grad_scale=None, Tensor(e!)? statistics=None) -> Tensor"
)
_library.define("instruction_set() -> str")
_library.define("pack_signs(Tensor x, int num_bytes) -> (Tensor planes, Tensor others)")
_library.define("tally_signs(Tensor signs, Tensor? nonzeros) -> Tensor")
_library.define("pack_digits(Tensor digits, int base) -> Tensor")
_library.define("unpack_digits(Tensor codes, Tensor table, int per_row, int numel) -> Tensor")


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


@torch.library.register_fake("lionkit::pack_signs", lib=_library)
def _(x: Tensor, num_bytes: int) -> tuple[Tensor, Tensor]:
    return x.new_empty((2, num_bytes), dtype=torch.uint8), x.new_empty(2, dtype=torch.int64)


@torch.library.register_fake("lionkit::tally_signs", lib=_library)
def _(signs: Tensor, nonzeros: Tensor | None) -> Tensor:
    return signs.new_empty(8 * signs.shape[1], dtype=torch.int16)


@torch.library.register_fake("lionkit::pack_digits", lib=_library)
def _(digits: Tensor, base: int) -> Tensor:
    return digits.new_empty(-(-digits.numel() // digits_per_byte(base)), dtype=torch.uint8)


@torch.library.register_fake("lionkit::unpack_digits", lib=_library)
def _(codes: Tensor, table: Tensor, per_row: int, numel: int) -> Tensor:
    return table.new_empty(numel)


def digits_per_byte(base: int) -> int:
    """Return how many digits of this base, in [2, 256], a byte holds.

    >>> [digits_per_byte(base) for base in (2, 3, 5, 16, 17, 256)]
    [8, 5, 3, 2, 1, 1]
    """
    digits = 1
    while base ** (digits + 1) <= 256:
        digits += 1
    return digits
