"""What a backend is: the one seam between the optimizer and the hardware."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Geometry(Protocol):
    """The part of a kappa that a step needs."""

    def gradient(self, x: Tensor) -> Tensor:
        """Map one tensor."""
        ...

    def foreach_gradient(self, xs: list[Tensor]) -> list[Tensor]:
        """Map a list of tensors."""
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
    ) -> None:
        """Take the step."""
        ...
