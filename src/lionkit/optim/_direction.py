"""Directions that no kappa has: what a step makes of the kappa's own, tensor by tensor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from lionkit.kernels import Backend, Geometry, Mask
from lionkit.momentum._shards import of_all, own


@dataclass(frozen=True, slots=True)
class Sight:
    """What a direction may look at beside c, of one parameter.

    Attributes:
        state: What the optimizer keeps of it.
        noise: The key of the step's noise and the place in it.
        smallest: The smallest absolute value of all c that are not 0, of a direction that asks for it.
        param: The weights, real.
        grad: The gradient as the step uses it, real.
    """

    state: dict[str, Any]
    noise: tuple[int, int]
    smallest: Tensor | None
    param: Tensor
    grad: Tensor


class Direction(ABC):
    """A map of c in the place of the kappa's; None in its seat is the kappa's gradient map itself.

    Members are frozen dataclasses: their ``repr`` is what a `state_dict` keeps. The native kernel has a loop for those
    with a `mask`; along others a step takes the reference or, on request or on accelerators, the foreach path, and
    ``fused=True`` is refused.
    """

    state_names: ClassVar[tuple[str, ...]] = ()
    """The names of the tensors that the direction keeps of a parameter, of its shape."""

    noisy: ClassVar[bool] = False
    """Whether it draws numbers."""

    @property
    def mask(self) -> Mask | None:
        """What the native kernel must know of it, where it masks the kappa's direction and does nothing else."""
        return None

    @property
    def asks_for_smallest(self) -> bool:
        """Whether it must know the smallest of all c before any parameter is stepped."""
        return False

    @abstractmethod
    def of(self, c: Tensor, kappa: Geometry, sight: Sight) -> Tensor:
        """Return the direction of one parameter, in the shape of c."""


@dataclass(frozen=True, slots=True)
class Directed:
    """A backend that steps along a `Direction`, or decays weights cautiously, on top of another backend.

    Attributes:
        backend: Takes the step.
        direction: None: the kappa's own.
        cautious: Whether only those weights decay that the step moves towards 0.
        states: What the optimizer keeps of the parameter of each position.
        noise: The key of the direction's noise.
        smallest: The smallest c of all, where the direction asks for it.
    """

    backend: Backend
    direction: Direction | None
    cautious: bool
    states: Sequence[dict[str, Any]]
    noise: int
    smallest: Tensor | None

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
        """Take the step, of like tensors together."""
        decay = 0.0 if self.cautious else weight_decay
        for positions in _alike(params, momenta):
            some = ([tensors[i] for i in positions] for tensors in (params, grads, momenta))
            sights = [
                Sight(
                    self.states[i],
                    (self.noise, i),
                    self.smallest,
                    params[i],
                    (-grads[i] if maximize else grads[i]).to(momenta[i].dtype),
                )
                for i in positions
            ]
            geometry = _Bound(kappa, self.direction, weight_decay if self.cautious else 0.0, iter(sights))
            self.backend(*some, kappa=geometry, lr=lr, betas=betas, weight_decay=decay, maximize=maximize)


@dataclass(slots=True)
class _Bound:
    """A geometry for the parameters of one call, which come in their order."""

    kappa: Geometry
    direction: Direction | None
    decay: float
    sights: Iterator[Sight]
    kernel: str | None = None
    kernel_parameter: float = 0.0

    def gradient(self, x: Tensor) -> Tensor:
        """Return the direction of the next parameter, its cautious decay with it."""
        sight = next(self.sights)
        direction = self.kappa.gradient(x) if self.direction is None else self.direction.of(x, self.kappa, sight)
        if not self.decay:
            return direction
        direction = direction.to(sight.param.dtype)
        towards_zero = direction * sight.param >= 0
        return torch.where(towards_zero, torch.add(direction, sight.param, alpha=self.decay), direction)

    def foreach_gradient(self, xs: list[Tensor]) -> list[Tensor]:
        """Return the directions of the next parameters."""
        return [self.gradient(x) for x in xs]

    def batches(self, xs: Sequence[Tensor]) -> None:
        """Return None: the parameters keep their order."""


def smallest_of(cs: Iterable[Tensor]) -> Tensor:
    """Return the smallest absolute value that is not 0, infinity where there is none; 0-dimensional."""
    sizes = [_smallest(c) for c in cs]
    return torch.stack([size.to(sizes[0].device) for size in sizes]).amin()


def _smallest(c: Tensor) -> Tensor:
    size = own(c).abs().to(torch.promote_types(c.dtype, torch.float32))
    least = size.masked_fill(size == 0, torch.inf).amin() if size.numel() else size.new_full((), torch.inf)
    return of_all(least, c, "min")


def _alike(params: list[Tensor], momenta: list[Tensor]) -> Iterable[list[int]]:
    """Part the positions as the foreach backend parts the tensors, so that it meets them in our order."""
    groups: defaultdict[object, list[int]] = defaultdict(list)
    for position, (param, momentum) in enumerate(zip(params, momenta, strict=True)):
        groups[param.device, param.dtype, momentum.dtype].append(position)
    return groups.values()
