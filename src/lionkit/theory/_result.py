"""What a theorem returns: numbers with their names, what they need, and a table of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Assumption(StrEnum):
    """What a statement needs; the numbered ones as in arXiv 2411.07724, in its order."""

    SMOOTH = "Assumption 1: ||grad f(x) - grad f(y)||_2 <= L ||x - y||_2"
    UNBIASED = "Assumption 2: E[g] = grad f, whatever came before"
    BOUNDED_VARIANCE = "Assumption 3: E||g - grad f||_2^2 <= sigma^2"
    COERCIVE = "Assumption 4: f(theta) -> infinity as ||theta|| -> infinity"
    START_IN_BOX = "the weights start in the box: |theta_1|_inf <= 1 / weight_decay"
    SHRINKING = "lr * weight_decay <= 1"
    FIRST_GRADIENT = "the momentum starts at the first gradient: m_0 = g_1"
    ENOUGH_STEPS = "steps >= max(sigma^6 / (L gap)^3, L gap / sigma^2)"
    WITHIN_RADIUS = "every weight of the run stays within C, and weight_decay <= 1 / (2 C)"
    AVERAGE_SMOOTH = "average smoothness: E||g(x; z) - g(y; z)||_2^2 <= L^2 ||x - y||_2^2 on the same sample z"
    BOUNDED_GRADIENT = "every coordinate of what is sent is at most G"


STOCHASTIC = (Assumption.SMOOTH, Assumption.UNBIASED, Assumption.BOUNDED_VARIANCE)
VARIANCE_REDUCED = (Assumption.AVERAGE_SMOOTH, Assumption.UNBIASED, Assumption.BOUNDED_VARIANCE)
IN_THE_BOX = (Assumption.START_IN_BOX, Assumption.SHRINKING)


@dataclass(frozen=True)
class Term:
    """One summand of a bound.

    Attributes:
        name: What it comes from, in a word.
        formula: The expression, in the symbols of the paper.
        value: Its value.
    """

    name: str
    formula: str
    value: float


@dataclass(frozen=True)
class Bound:
    """A bound, term by term; ``print`` it for a table.

    Attributes:
        statement: Where it stands in the paper.
        quantity: What is at most the total.
        terms: The summands, in the paper's order.
        needs: What must hold for it.
    """

    statement: str
    quantity: str
    terms: tuple[Term, ...]
    needs: tuple[Assumption, ...]

    @property
    def total(self) -> float:
        """The bound itself: the sum of the terms."""
        return math.fsum(term.value for term in self.terms)

    def __getitem__(self, name: str) -> float:
        """Return the value of the term of that name."""
        return {term.name: term.value for term in self.terms}[name]

    def __str__(self) -> str:
        share = {term.name: term.value / self.total if self.total else 0.0 for term in self.terms}
        rows = [(term.name, term.formula, f"{term.value:.4g}", f"{share[term.name]:.0%}") for term in self.terms]
        return "\n".join(
            [
                f"{self.statement}: {self.quantity} is at most {self.total:.4g}",
                *table([*rows, ("total", "", f"{self.total:.4g}", "")]),
                *(f"  needs  {need}" for need in self.needs),
            ]
        )


@dataclass(frozen=True)
class Rate:
    """An order of magnitude: a rate whose constant its source does not give; ``print`` it for a table.

    Attributes:
        statement: Where it stands.
        quantity: What is of this order.
        formula: The order, as its source writes it.
        value: The expression inside of O(...), with 1 as the constant: compare it with itself at other
            arguments, never with a measurement.
        needs: What must hold for it, as far as is known.
        settings: The settings it is proved for, in this library's convention of betas.
    """

    statement: str
    quantity: str
    formula: str
    value: float
    needs: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.statement}: {self.quantity} is {self.formula}",
                *table([("O(1) times", f"{self.value:.4g}")]),
                *(f"  needs  {need}" for need in self.needs),
                *(f"  with   {setting}" for setting in self.settings),
            ]
        )


def parts_table(title: str, parts: Mapping[str, float], total: float) -> str:
    """Return a title and a table of named numbers and their total."""
    rows = [*parts.items(), ("total", total)]
    return "\n".join([title, *table((name, f"{value:.4g}") for name, value in rows)])


def table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return indented lines whose columns stand under each other; the last two columns to the right."""
    rows = list(rows)
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if place >= max(len(row) - 2, 1) else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
