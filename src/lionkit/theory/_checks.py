"""Refusals: one line with the quantity, its value and the condition it breaks."""

from __future__ import annotations

import math

from torch import Tensor


def require(holds: bool, name: str, value: object, condition: str) -> None:
    """Raise unless a theorem's condition holds.

    Raises:
        ValueError: it does not; the message is ``Invalid name: value, condition``.
    """
    if not holds:
        raise ValueError(f"Invalid {name}: {value}, {condition}")


def require_positive(name: str, value: float) -> None:
    """Raise unless a number is finite and above 0."""
    require(0 < value < math.inf, name, value, "it must be finite and above 0")


def require_not_negative(name: str, value: float) -> None:
    """Raise unless a number is finite and at least 0."""
    require(0 <= value < math.inf, name, value, "it must be finite and at least 0")


def require_count(name: str, value: float) -> None:
    """Raise unless a number is an integer and at least 1."""
    whole = math.isfinite(value) and value == int(value)
    require(whole and value >= 1, name, value, "it must be a count: a whole number, at least 1")


def require_same_shapes(**tensors: Tensor) -> None:
    """Raise unless tensors have one shape: another would be broadcast, and counted more than once."""
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    words = " and ".join(f"{name} {shape}" for name, shape in shapes.items())
    require(len(set(shapes.values())) == 1, "shapes", words, "they must be the same")


def require_box(weight_decay: float) -> None:
    r"""Raise where there is no box :math:`\|\theta\|_\infty \le 1/\lambda` to speak of."""
    condition = "the constraint set has the size 1 / weight_decay, so it must be finite and above 0"
    require(0 < weight_decay < math.inf, "weight_decay", weight_decay, condition)
