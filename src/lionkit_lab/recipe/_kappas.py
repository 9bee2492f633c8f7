"""The geometries that a recipe can name: `lionkit.kappa`."""

from typing import Annotated, Literal

from pydantic import Field

from lionkit_lab.recipe._section import Count, Section

Positive = Annotated[float, Field(gt=0)]


class L1(Section):
    """The l1 norm: the sign, Lion's own."""

    name: Literal["l1"]
    """The kappa."""


class HalfSquaredL2(Section):
    """Half the squared l2 norm: c itself, as SGD with momentum has it."""

    name: Literal["half_squared_l2"]
    """The kappa."""


class Lp(Section):
    """The lp norm of the whole tensor."""

    name: Literal["lp"]
    """The kappa."""
    p: Annotated[float, Field(ge=1)]
    """The exponent, at least 1."""


class LInf(Section):
    """The largest absolute coordinate: only that one moves."""

    name: Literal["linf"]
    """The kappa."""


class TopK(Section):
    """The sum of the k largest absolute coordinates: only those move."""

    name: Literal["top_k"]
    """The kappa."""
    k: Count
    """Coordinates of a tensor that move, at least 1."""


class GroupL2(Section):
    """The l2 norm of each tensor: normalised SGD."""

    name: Literal["group_l2"]
    """The kappa."""


class _Smoothed(Section):
    e: Positive
    """The width of the smoothed or truncated part, in units of the gradient, above 0."""


class Huber(_Smoothed):
    """The Huber function: linear up to e."""

    name: Literal["huber"]
    """The kappa."""


class TruncatedL1(_Smoothed):
    """The l1 norm of what exceeds e: smaller coordinates stand still."""

    name: Literal["truncated_l1"]
    """The kappa."""


class Relativistic(_Smoothed):
    """A square root: x / sqrt(x^2 + e^2)."""

    name: Literal["relativistic"]
    """The kappa."""


class Entropy(_Smoothed):
    """The hyperbolic tangent of x / e."""

    name: Literal["entropy"]
    """The kappa."""


class Arctan(_Smoothed):
    """The arc tangent of x / e, times 2 / pi."""

    name: Literal["arctan"]
    """The kappa."""


KappaSettings = Annotated[
    L1 | HalfSquaredL2 | Lp | LInf | TopK | GroupL2 | Huber | TruncatedL1 | Relativistic | Entropy | Arctan,
    Field(discriminator="name"),
]
