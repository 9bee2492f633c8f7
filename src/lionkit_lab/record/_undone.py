"""What a rollback has undone."""

from collections.abc import Iterable
from typing import Any

_TOLD = ("warning", "rollback")  # what has been said stays said


def standing(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records without those of steps that a later rollback has taken back.

    A file of records is never rewritten: after a record of kind "rollback" the steps beyond its own come again.
    """
    kept: list[dict[str, Any]] = []
    for record in records:
        if record["kind"] == "rollback":
            kept = [it for it in kept if it["kind"] in _TOLD or it["step"] <= record["step"]]
        kept.append(record)
    return kept
