"""Whether a step is large enough for half-precision weights to take it."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lionkit.momentum import CODES, SCALES, codec_of, decode_state, has_momentum
from lionkit.momentum._shards import of_all, own
from lionkit.optim._decay import decay_rate
from lionkit.optim._shards import seen_whole
from lionkit.optim._state import State, is_half, real

_INSIDE = tuple(f"{folder}{os.sep}" for folder in (Path(torch.__file__).parent, Path(__file__).parents[1]))
_ADVICE = "take weight_rounding='stochastic' (bfloat16) or 'kahan', float32 weights, or a larger lr"
# A few large weights always stand still in half precision; beyond this share it is the run that does.
_WORTH_A_WARNING = 0.1
_PIECE = 2**17  # coordinates looked at together: whole blocks of codes


@dataclass(frozen=True)
class Standstill:
    """How many weights are too large, or a step too small, for the step to change them.

    Attributes:
        num: Half-precision weights that no step can move at the present lr.
        numel: Half-precision weights in all.
    """

    num: int
    numel: int

    @property
    def share(self) -> float:
        """``num`` over ``numel``, from 0 to 1; 0 where there are none."""
        return self.num / self.numel if self.numel else 0.0


@dataclass(frozen=True)
class NumericsReport:
    """What `lionkit.LionK.check_numerics` found; printed, it is a small table.

    Attributes:
        groups: Of each parameter group.
        total: Of all groups.
        roundings: How each group rounds its weights.
    """

    groups: tuple[Standstill, ...]
    total: Standstill
    roundings: tuple[str, ...]

    def __str__(self) -> str:
        names = [*(f"group {number}" for number in range(len(self.groups))), "total"]
        rows = zip(names, (*self.groups, self.total), (*self.roundings, ""), strict=True)
        lines = [f"{name:<10}{s.num:>14,} of {s.numel:<14,}{s.share:>7.1%}  {rounding}" for name, s, rounding in rows]
        verdict = f"these half-precision weights stand still: {_ADVICE}" if self.total.num else "every weight can move"
        return "\n".join([*(line.rstrip() for line in lines), verdict])


def check(groups: Sequence[Mapping[str, Any]], state: State) -> NumericsReport:
    """Count the half-precision weights that no step can move, in each group."""
    found = tuple(_combine(_standstill(group, param, state) for param in _halves(group)) for group in groups)
    return NumericsReport(found, _combine(found), tuple(group["weight_rounding"] for group in groups))


class Watch:
    """Looks once, after the warm-up, whether many weights stand still."""

    def __init__(self) -> None:
        self._lrs: list[float] | None = None
        self._done = False

    def look(self, groups: Sequence[Mapping[str, Any]], state: State) -> None:
        """Warn where over a tenth of the half-precision weights cannot move; after a step.

        It is checked at the first step whose lr is above 0 and not larger than that of the step before. A tensor
        lr on an accelerator is never brought to the host, and so never checked.
        """
        if self._done or torch.compiler.is_compiling():
            return
        watched = [
            group for group in groups if group["weight_rounding"] == "nearest" and any(map(is_half, group["params"]))
        ]
        if not watched or any(isinstance(group["lr"], Tensor) and not group["lr"].is_cpu for group in watched):
            self._done = True
            return
        lrs, before = [float(group["lr"]) for group in watched], self._lrs
        self._lrs = lrs
        if before is None or max(lrs) <= 0 or any(now > then for now, then in zip(lrs, before, strict=False)):
            return
        self._done = True
        standstill = check(watched, state).total
        if standstill.share > _WORTH_A_WARNING:
            warnings.warn(
                f"{standstill.share:.0%} of the half-precision weights stand still, as a step is less than half their "
                f"spacing: {_ADVICE}; optimizer.check_numerics() tells which",
                stacklevel=_level_of_the_caller(),
            )


def _level_of_the_caller() -> int:
    """Return the stack level, counted from who asks, of the line outside of torch and lionkit that led here.

    Between it and here stand as many frames as have wrapped ``step``: a scheduler's is one more.
    """
    frame, level = sys._getframe(1), 1
    while frame.f_code.co_filename.startswith(_INSIDE) and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    return level


def _halves(group: Mapping[str, Any]) -> Iterable[Tensor]:
    return (param for param in group["params"] if is_half(param))


def _standstill(group: Mapping[str, Any], param: Tensor, state: State) -> Standstill:
    (theta,) = real([param.detach()])
    if group["weight_rounding"] != "nearest":  # what a step cannot do, several will
        return Standstill(0, theta.numel())
    kept = state.get(param, {})
    if not has_momentum(kept):
        num = _still(group, own(theta), None)
    elif group["kappa"].kernel is None:  # a map of the whole parameter
        (momentum,) = real([decode_state(kept, param)])
        num = _still(group, own(theta), own(_direction(group, momentum)))
    else:  # piece by piece: a few copies of a large parameter might not fit into memory
        pairs = zip(own(theta).reshape(-1).split(_PIECE), _pieces(kept, param), strict=True)
        num = sum(_still(group, weights, _direction(group, momentum)) for weights, momentum in pairs)
    return Standstill(int(of_all(torch.as_tensor(num), param, "sum")), theta.numel())


def _pieces(kept: Mapping[str, Tensor], param: Tensor) -> Iterator[Tensor]:
    """Yield the momentum in row-major order, decoded, `_PIECE` coordinates at a time."""
    if CODES not in kept:
        yield from real([own(decode_state(kept, param))])[0].reshape(-1).split(_PIECE)
        return
    codes, scales = own(kept[CODES]), own(kept[SCALES])
    codec, numel = codec_of(codes), real([own(param)])[0].numel()
    parts = zip(codes.split(codec.num_codes(_PIECE)), scales.split(codec.num_scales(_PIECE)), strict=True)
    for start, (some_codes, some_scales) in zip(range(0, numel, _PIECE), parts, strict=True):
        yield codec.decode(some_codes, some_scales, (min(_PIECE, numel - start),))


def _direction(group: Mapping[str, Any], momentum: Tensor) -> Tensor:
    """Return the direction of a momentum; one of 0 has none yet, but the gradient to come has one, of length 1."""
    direction = seen_whole(group["kappa"], [momentum]).gradient(momentum.float())
    return direction.masked_fill(momentum == 0, 1.0)


def _still(group: Mapping[str, Any], theta: Tensor, direction: Tensor | None) -> int:
    """Count the weights that are rounded back to where they were."""
    wide = theta.float()
    stepped = wide - group["lr"] * ((1.0 if direction is None else direction) + decay_rate(group) * wide)
    return int((stepped.to(theta.dtype) == theta).sum())


def _combine(parts: Iterable[Standstill]) -> Standstill:
    parts = list(parts)
    return Standstill(sum(part.num for part in parts), sum(part.numel for part in parts))
