"""A recipe as one flat table of texts, to compare and to print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def flatten(recipe: Mapping[str, Any]) -> dict[str, str]:
    """Every setting under its dotted key, such as ``optimizer.lr``; equal texts are equal values."""
    return dict(_pairs(recipe, ""))


def varied(tables: Sequence[Mapping[str, str]]) -> list[str]:
    """The keys under which the tables differ, a missing key being a difference; in order of appearance."""
    keys = dict.fromkeys(key for table in tables for key in table)
    return [key for key in keys if len({table.get(key) for table in tables}) > 1]


def _pairs(recipe: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, str]]:
    for key, value in recipe.items():
        if isinstance(value, Mapping):
            yield from _pairs(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _text(value)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return str(value)
