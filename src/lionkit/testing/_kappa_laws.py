"""The laws of a kappa: those of a convex function and its conjugate (Rockafellar, Convex Analysis, 12 and 23).

A law raises an ``AssertionError`` that says by how much it does not hold. Those of `AT_A_POINT` take two points of one
shape, in float64, and a part of the way from one thing to another, from 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from torch import Tensor, allclose, isclose

from lionkit.kappa import Kappa
from lionkit.testing._checks import require, require_same

_ROUNDING = 1e-12


def fenchel_young(kappa: Kappa, x: Tensor, y: Tensor, part: float) -> None:
    """kappa(x) + kappa*(y) is at least <x, y>."""
    for inside in (y, _within(kappa, y, part), _within(kappa, y, 1.0)):
        slack = kappa.value(x) + kappa.conjugate(inside) - _inner(x, inside)
        require(slack >= -_ROUNDING * (kappa.value(x) + _inner(x, inside).abs()), f"it is {slack.item():.3g} short")


def equality_at_the_gradient(kappa: Kappa, x: Tensor, _: Tensor, __: float) -> None:
    """The subgradient is where Fenchel-Young is an equation."""
    gradient = kappa.gradient(x)
    total, inner = kappa.value(x) + kappa.conjugate(gradient), _inner(x, gradient)
    require(isclose(total, inner, rtol=_ROUNDING, atol=0), f"{total.item()} is not {inner.item()}")


def monotone(kappa: Kappa, x: Tensor, y: Tensor, _: float) -> None:
    """<grad kappa(x) - grad kappa(y), x - y> is at least 0."""
    slope = _inner(kappa.gradient(x) - kappa.gradient(y), x - y)
    require(slope >= -_ROUNDING * (kappa.value(x) + kappa.value(y)), f"the slope between two points is {slope.item()}")


def convex(kappa: Kappa, x: Tensor, y: Tensor, part: float) -> None:
    """The value between two points is at most that of their chord."""
    for along in (part, 0.7):
        chord = (1 - along) * kappa.value(x) + along * kappa.value(y)
        excess = kappa.value((1 - along) * x + along * y) - chord
        most = _ROUNDING * (kappa.value(x) + kappa.value(y))
        require(excess <= most, f"the value is {excess.item():.3g} above a chord")


def gradient_supports_the_value(kappa: Kappa, x: Tensor, y: Tensor, _: float) -> None:
    """The tangent plane at x is nowhere above the value: the map is a subgradient."""
    excess = kappa.value(x) + _inner(kappa.gradient(x), y - x) - kappa.value(y)
    scale = kappa.value(x) + kappa.value(y) + _inner(kappa.gradient(x), y - x).abs()
    require(excess <= _ROUNDING * scale, f"a tangent plane is {excess.item():.3g} above the value")


def direction_within_the_gauge(kappa: Kappa, x: Tensor, _: Tensor, __: float) -> None:
    """A direction is in the domain of the conjugate, whose gauge is at most 1 there."""
    direction = kappa.gradient(x)
    size = float(kappa.gauge(direction))
    require(size <= 1 + 1e-13, f"the gauge of a direction is 1 + {size - 1:.3g}")
    require(math.isfinite(kappa.conjugate(direction)), "the conjugate of a direction is infinite")


def gauge_ends_the_conjugate(kappa: Kappa, _: Tensor, y: Tensor, __: float) -> None:
    """The conjugate is finite where the gauge is below 1 and infinite where it is above; the gauge is homogeneous."""
    size = kappa.gauge(y)
    require(isclose(kappa.gauge(3 * y), 3 * size, rtol=_ROUNDING, atol=0), "the gauge of 3y is not 3 times that of y")
    if size == 0:
        require(math.isfinite(kappa.conjugate(y)), "the conjugate is infinite where the gauge is 0")
        return
    require(math.isfinite(kappa.conjugate(y / size * (1 - 1e-9))), "the conjugate is infinite within the gauge")
    require(kappa.conjugate(y / size * (1 + 1e-9)) == math.inf, "the conjugate is finite beyond the gauge")


def odd_and_zero_at_zero(kappa: Kappa, x: Tensor, _: Tensor, __: float) -> None:
    """A kappa is even, and 0 with a map of 0 at 0: a weight without a gradient does not move."""
    mirrored = allclose(kappa.gradient(-x), -kappa.gradient(x), rtol=_ROUNDING, atol=1e-14)
    require(mirrored, "the map of -x is not minus that of x")
    for name in ("value", "gradient", "conjugate", "gauge"):
        require(not getattr(kappa, name)(x * 0).any(), f"the {name} of 0 is not 0")


def broken_numbers_show(kappa: Kappa, x: Tensor, _: Tensor, __: float) -> None:
    """The map is not finite where its argument is not."""
    for broken in (math.nan, math.inf):
        spoilt = x.clone()
        spoilt.view(-1)[-1] = broken
        require(not kappa.gradient(spoilt).view(-1)[-1].isfinite(), f"the map is finite where its argument is {broken}")


AT_A_POINT: Final[Sequence[Callable[[Kappa, Tensor, Tensor, float], None]]] = (
    fenchel_young,
    equality_at_the_gradient,
    monotone,
    convex,
    gradient_supports_the_value,
    direction_within_the_gauge,
    gauge_ends_the_conjugate,
    odd_and_zero_at_zero,
    broken_numbers_show,
)


def same_list_by_list(kappa: Kappa, xs: Sequence[Tensor]) -> None:
    """The map of a list is that of each, in shape and dtype; of any shapes and dtypes."""
    for mapped, x in zip(kappa.foreach_gradient(list(xs)), xs, strict=True):
        require_same(mapped, kappa.gradient(x), "foreach_gradient")
        require(mapped.shape == x.shape, f"the map has shape {tuple(mapped.shape)}, its argument {tuple(x.shape)}")
        require(mapped.dtype == x.dtype, f"the map is of {mapped.dtype}, its argument of {x.dtype}")


def is_a_value(kappa: Kappa) -> None:
    """Equal to itself, hashable, with a ``repr`` that can be told from others, and a problem in words."""
    require(kappa == kappa and hash(kappa) == hash(kappa), "it is not equal to itself")
    require(" at 0x" not in repr(kappa), f"its repr is an address: {kappa!r}")
    require(bool(kappa.problem.words and kappa.problem.latex), "it does not say which problem it induces")


def _within(kappa: Kappa, y: Tensor, reach: float) -> Tensor:
    """Scale a point to a gauge of ``reach`` where it is larger."""
    size = float(kappa.gauge(y))
    return y * (reach / size) if size > reach else y


def _inner(x: Tensor, y: Tensor) -> Tensor:
    return (x * y).sum()
