"""Parameters that are spread over processes: what a step does on each shard alone, and for what it gathers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from lionkit.kernels import Geometry
from lionkit.momentum._shards import any_spread, cut, is_spread, own, own_as, places
from lionkit.optim._state import Operands


@dataclass(frozen=True, slots=True)
class Gathered:
    """A kappa whose map looks at a whole parameter: c is gathered for it, and the direction is cut again.

    Every process computes the same map, so that a step has the bits that it has on one device.
    """

    whole: Geometry
    kernel: str | None = None
    kernel_parameter: float = 0.0

    def gradient(self, x: Tensor) -> Tensor:
        """Return the direction of one parameter, spread as c is."""
        return cut(self.whole.gradient(x.full_tensor()), x) if is_spread(x) else self.whole.gradient(x)

    def foreach_gradient(self, xs: list[Tensor]) -> list[Tensor]:
        """Return the directions of a list, one whole parameter at a time."""
        return [self.gradient(x) for x in xs]

    def batches(self, xs: Sequence[Tensor]) -> None:
        """Return None: each parameter is on its own."""


def seen_whole(kappa: Geometry, params: Sequence[Tensor]) -> Geometry:
    """Return a kappa that sees whole parameters wherever its map needs them; an elementwise one as it is."""
    return Gathered(kappa) if kappa.kernel is None and any_spread(params) else kappa


def on_shards(group: Mapping[str, Any], given: Operands, *, noisy: bool) -> Operands:
    """Let a step whose every coordinate is on its own see the shards of this process as plain tensors.

    Others keep the spread tensors, whose operators talk where they must.

    Args:
        group: The parameter group.
        given: The tensors of the step.
        noisy: Whether coordinates must know where they are in the whole parameter.
    """
    if not any_spread(given.params):
        return given
    if noisy:
        given = replace(given, places=[places(param) for param in given.params])
    if group["kappa"].kernel is None or group["direction"] is not None or group["differentiable"]:
        return given
    return replace(
        given,
        params=[own(param) for param in given.params],
        grads=[own_as(*pair) for pair in zip(given.grads, given.params, strict=True)],
        momenta=[own(momentum) for momentum in given.momenta],
        scales=[own(scales) for scales in given.scales],
        compensations=[own(compensation) for compensation in given.compensations],
    )
