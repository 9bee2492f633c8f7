"""The laws of a kappa: those of a convex function and its conjugate (Rockafellar, Convex Analysis, 12 and 23)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch
from torch import Tensor

from lionkit.kappa import Kappa
from lionkit.testing._checks import Report, generator, require, require_same, run

SHAPES: Sequence[tuple[int, ...]] = ((), (1,), (7,), (3, 5), (4, 2), (2, 3, 4))
_ROUNDING = 1e-12


def check_kappa(kappa: Kappa, *, shapes: Iterable[Sequence[int]] = SHAPES, points: int = 20, seed: int = 0) -> Report:
    """Check a kappa's laws at random points, of random scale, a fifth of their coordinates 0; in float64.

    Fenchel-Young, with equality at the gradient map; monotone; convex; the map is a subgradient of the value, odd, 0
    at 0, the same list by list, and broken where its argument is; the gauge is where the conjugate ends; the ``repr``
    names the kappa. A map that is only near its kappa's, as Newton-Schulz steps are, fails, and should.

    Args:
        kappa: Any.
        shapes: Of the points; those that ``kappa.check_shape`` refuses are left out.
        points: How many of each shape.
        seed: Of the points.

    Returns:
        The names of the checks.

    Raises:
        AssertionError: with every law that does not hold, and a point where.
        ValueError: the kappa takes none of the shapes.

    Example:
        >>> from lionkit import testing
        >>> from lionkit.kappa import Huber
        >>> len(testing.check_kappa(Huber(0.3)).passed)
        9
    """
    takes = [tuple(shape) for shape in shapes if _takes(kappa, shape)]
    if not takes:
        raise ValueError(f"Invalid shapes: {kappa!r} takes none of them")
    source = generator(seed)
    pairs = [(_point(shape, source), _point(shape, source)) for shape in takes for _ in range(points)]
    on_pairs = [_named(law, partial(_everywhere, law, kappa, pairs)) for law in _LAWS]
    return run(repr(kappa), [*on_pairs, _named(is_a_value, partial(is_a_value, kappa))])


def fenchel_young(kappa: Kappa, x: Tensor, y: Tensor) -> None:
    """kappa(x) + kappa*(y) is at least <x, y>."""
    for inside in (y, y / kappa.gauge(y).clamp(min=1)):
        slack = kappa.value(x) + kappa.conjugate(inside) - _inner(x, inside)
        require(slack >= -_ROUNDING * (kappa.value(x) + _inner(x, inside).abs()), f"it is {slack.item():.3g} short")


def equality_at_the_gradient(kappa: Kappa, x: Tensor, _: Tensor) -> None:
    """The subgradient is where Fenchel-Young is an equation."""
    gradient = kappa.gradient(x)
    total, inner = kappa.value(x) + kappa.conjugate(gradient), _inner(x, gradient)
    require(torch.isclose(total, inner, rtol=_ROUNDING, atol=0), f"{total.item()} is not {inner.item()}")


def monotone(kappa: Kappa, x: Tensor, y: Tensor) -> None:
    """<grad kappa(x) - grad kappa(y), x - y> is at least 0."""
    slope = _inner(kappa.gradient(x) - kappa.gradient(y), x - y)
    require(slope >= -_ROUNDING * (kappa.value(x) + kappa.value(y)), f"the slope between two points is {slope.item()}")


def convex(kappa: Kappa, x: Tensor, y: Tensor) -> None:
    """The value between two points is at most that of their chord."""
    chord = 0.3 * kappa.value(x) + 0.7 * kappa.value(y)
    excess = kappa.value(0.3 * x + 0.7 * y) - chord
    require(excess <= _ROUNDING * (kappa.value(x) + kappa.value(y)), f"the value is {excess.item():.3g} above a chord")


def gradient_supports_the_value(kappa: Kappa, x: Tensor, y: Tensor) -> None:
    """The tangent plane at x is nowhere above the value: the map is a subgradient."""
    excess = kappa.value(x) + _inner(kappa.gradient(x), y - x) - kappa.value(y)
    scale = kappa.value(x) + kappa.value(y) + _inner(kappa.gradient(x), y - x).abs()
    require(excess <= _ROUNDING * scale, f"a tangent plane is {excess.item():.3g} above the value")


def gauge_ends_the_conjugate(kappa: Kappa, _: Tensor, y: Tensor) -> None:
    """The conjugate is finite where the gauge is below 1 and infinite where it is above."""
    size = kappa.gauge(y)
    if size == 0:
        require(math.isfinite(kappa.conjugate(y)), "the conjugate is infinite where the gauge is 0")
        return
    require(math.isfinite(kappa.conjugate(y / size * (1 - 1e-9))), "the conjugate is infinite within the gauge")
    require(kappa.conjugate(y / size * (1 + 1e-9)) == math.inf, "the conjugate is finite beyond the gauge")


def odd_and_zero_at_zero(kappa: Kappa, x: Tensor, _: Tensor) -> None:
    """A kappa is even, and 0 with a map of 0 at 0: a weight without a gradient does not move."""
    mirrored = torch.allclose(kappa.gradient(-x), -kappa.gradient(x), rtol=_ROUNDING, atol=1e-14)
    require(mirrored, "the map of -x is not minus that of x")
    for name in ("value", "gradient", "conjugate", "gauge"):
        require(not getattr(kappa, name)(x * 0).any(), f"the {name} of 0 is not 0")


def lists_and_broken_numbers(kappa: Kappa, x: Tensor, _: Tensor) -> None:
    """The map of a list is that of each, in shape and dtype, and what is not finite shows."""
    (mapped,) = kappa.foreach_gradient([x])
    require_same(mapped, kappa.gradient(x), "foreach_gradient")
    require(mapped.shape == x.shape, f"the map has shape {tuple(mapped.shape)}, its argument {tuple(x.shape)}")
    for broken in (math.nan, math.inf):
        spoilt = x.clone()
        spoilt.view(-1)[-1] = broken
        require(not kappa.gradient(spoilt).view(-1)[-1].isfinite(), f"the map is finite where its argument is {broken}")


def is_a_value(kappa: Kappa) -> None:
    """Equal to itself, hashable, with a ``repr`` that can be told from others, and a problem in words."""
    require(kappa == kappa and hash(kappa) == hash(kappa), "it is not equal to itself")
    require(" at 0x" not in repr(kappa), f"its repr is an address: {kappa!r}")
    require(bool(kappa.problem.words and kappa.problem.latex), "it does not say which problem it induces")


_LAWS: Sequence[Callable[[Kappa, Tensor, Tensor], None]] = (
    fenchel_young,
    equality_at_the_gradient,
    monotone,
    convex,
    gradient_supports_the_value,
    gauge_ends_the_conjugate,
    odd_and_zero_at_zero,
    lists_and_broken_numbers,
)


def _everywhere(law: Callable[[Kappa, Tensor, Tensor], None], kappa: Kappa, pairs: list[tuple[Tensor, Tensor]]) -> None:
    for x, y in pairs:
        try:
            law(kappa, x, y)
        except AssertionError as error:
            raise AssertionError(f"{error}; at x = {x.tolist()}, y = {y.tolist()}") from None


def _named(law: Callable[..., None], check: Callable[[], None]) -> Callable[[], None]:
    """Let a check bear the name of its law."""

    def named() -> None:
        check()

    named.__name__ = law.__name__
    return named


def _takes(kappa: Kappa, shape: Sequence[int]) -> bool:
    try:
        kappa.check_shape(shape)
    except ValueError:
        return False
    return True


def _inner(x: Tensor, y: Tensor) -> Tensor:
    return (x * y).sum()


def _point(shape: Sequence[int], source: torch.Generator) -> Tensor:
    scale = 10.0 ** (torch.rand((), generator=source).item() * 12 - 6)
    zeros = torch.rand(shape, generator=source) < 0.2
    return (torch.randn(shape, generator=source, dtype=torch.float64) * scale).masked_fill(zeros, 0.0)
