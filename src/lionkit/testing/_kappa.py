"""The contract of a kappa."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch
from torch import Tensor

from lionkit.kappa import Kappa
from lionkit.testing._checks import Report, generator, run
from lionkit.testing._kappa_laws import AT_A_POINT, is_a_value, same_list_by_list

SHAPES: Sequence[tuple[int, ...]] = ((), (1,), (7,), (3, 5), (4, 2), (2, 3, 4))

Point = tuple[Tensor, Tensor, float]


def check_kappa(kappa: Kappa, *, shapes: Iterable[Sequence[int]] = SHAPES, points: int = 20, seed: int = 0) -> Report:
    """Check a kappa's laws at random points, of random scale, a fifth of their coordinates 0; in float64.

    Fenchel-Young, with equality at the gradient map; monotone; convex; the map is a subgradient of the value, within
    the gauge, odd, 0 at 0, the same list by list, and broken where its argument is; the gauge is where the conjugate
    ends; the ``repr`` names the kappa. A map that is only near its kappa's, as Newton-Schulz steps are, fails, and
    should.

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
        11
    """
    taken = [tuple(shape) for shape in shapes if takes(kappa, shape)]
    if not taken:
        raise ValueError(f"Invalid shapes: {kappa!r} takes none of them")
    source = generator(seed)
    found = [_point(shape, source) for shape in taken for _ in range(points)]
    lists = [tensor for x, y, _ in found for tensor in (x, y.float())]
    checks: dict[str, Callable[[], None]] = {
        law.__name__: partial(_everywhere, law, kappa, found) for law in AT_A_POINT
    }
    checks[same_list_by_list.__name__] = partial(same_list_by_list, kappa, lists)
    checks[is_a_value.__name__] = partial(is_a_value, kappa)
    return run(repr(kappa), checks)


def _everywhere(law: Callable[[Kappa, Tensor, Tensor, float], None], kappa: Kappa, points: list[Point]) -> None:
    for x, y, part in points:
        try:
            law(kappa, x, y, part)
        except AssertionError as error:
            raise AssertionError(f"{error}; at x = {x.tolist()}, y = {y.tolist()}") from None


def takes(kappa: Kappa, shape: Sequence[int]) -> bool:
    """Whether a kappa takes points of this shape."""
    try:
        kappa.check_shape(shape)
    except ValueError:
        return False
    return True


def scaled(shape: Sequence[int], exponent: float, source: torch.Generator) -> Tensor:
    """Return normal numbers times a power of ten, a fifth of them 0, float64."""
    zeros = torch.rand(shape, generator=source) < 0.2
    return (torch.randn(shape, generator=source, dtype=torch.float64) * 10.0**exponent).masked_fill(zeros, 0.0)


def _point(shape: Sequence[int], source: torch.Generator) -> Point:
    one, other, part = torch.rand(3, generator=source).tolist()
    return scaled(shape, one * 12 - 6, source), scaled(shape, other * 12 - 6, source), part
