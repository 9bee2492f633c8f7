"""How optimizers are called and in which order they stand."""

from __future__ import annotations

_TITLES = {"lion": "Lion", "adamw": "AdamW", "sgd": "SGD"}


def optimizer_title(name: str) -> str:
    """The name as people write it, such as ``AdamW``; an unknown one stays as it is."""
    return _TITLES.get(name, name)


def optimizer_order(name: str) -> tuple[int, str]:
    """Sort key: Lion, then the other known optimizers, then the rest by name."""
    known = list(_TITLES)
    return (known.index(name) if name in known else len(known), name)
