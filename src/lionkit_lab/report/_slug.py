"""Names that are safe in file names and HTML ids."""

from __future__ import annotations

import re
from collections.abc import Iterable


def slugs(names: Iterable[str], otherwise: str) -> list[str]:
    """One slug for each name, each of them once.

    Args:
        names: Any texts.
        otherwise: The slug of a name without a letter or digit.
    """
    taken: list[str] = []
    for name in names:
        taken.append(_unique(re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or otherwise, taken))
    return taken


def _unique(slug: str, taken: list[str]) -> str:
    number = 2
    unique = slug
    while unique in taken:
        unique, number = f"{slug}-{number}", number + 1
    return unique
