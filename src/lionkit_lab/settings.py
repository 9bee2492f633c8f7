"""Settings as flat tables of texts: to compare, to print, to name a run, to tell arms apart.

An arm is an optimizer with all its settings but the learning rate, which is tuned within each arm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

OFF = ("none", "no")
"""The texts of None and False."""

Identity = tuple[tuple[str, str], ...]


def arm(optimizer: Mapping[str, Any]) -> dict[str, str]:
    """Return what decides an arm, as texts: all of an optimizer's settings but its learning rate."""
    return {key: value for key, value in flatten(optimizer).items() if key != "lr"}


def identity(optimizer: Mapping[str, Any]) -> Identity:
    """Return what the runs of one arm have in common."""
    return tuple(sorted(arm(optimizer).items()))


def telling(one: Mapping[str, str], every: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the settings of ``one`` that tell it apart from its optimizer's other arms; what is off goes untold."""
    rivals = [other for other in every if other["name"] == one["name"]]
    return {key: one[key] for key in varied(rivals) if one.get(key, OFF[0]) not in OFF}


def flatten(table: Mapping[str, Any]) -> dict[str, str]:
    """Return every setting under its dotted key, such as ``optimizer.lr``; equal texts are equal values."""
    return dict(_pairs(table, ""))


def varied(tables: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the keys under which the tables differ, a missing key being a difference; in order of appearance."""
    keys = dict.fromkeys(key for table in tables for key in table)
    return [key for key in keys if len({table.get(key) for table in tables}) > 1]


def _pairs(table: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _pairs(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", text(value)


def text(value: Any) -> str:
    """Return a value as shortly as can be, yet so that two that differ are shown otherwise."""
    if isinstance(value, list | tuple):
        return ", ".join(text(item) for item in value)
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    if value is None or isinstance(value, bool):
        return "yes" if value else OFF[value is not None]
    return str(value)
