"""What makes two runs runs of one task, and titles that tell the tasks apart."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from lionkit_lab.record import Run
from lionkit_lab.settings import OFF, flatten, varied

_FREE = {"optimizer", "seed", "title"}
"""What may differ between the runs of one task."""
_LOOKS_ON = ("off", "warn")
"""What a watcher does that changes no run."""


def facts(run: Run) -> dict[str, str]:
    """Everything that the runs of one task have in common: the recipe but for ``_FREE``, and the data's hashes.

    Watchers that only look on are not in it, nor what is off: runs of versions without them are runs of the same task.
    """
    recipe = {key: value for key, value in run.manifest["recipe"].items() if key not in _FREE}
    recipe["watch"] = {key: value for key, value in recipe.get("watch", {}).items() if not _looks_on(value)}
    hashes = " ".join(entry["sha256"] for entry in run.manifest["data"])
    data = sha256(hashes.encode()).hexdigest()[:8]
    told = {key: value for key, value in flatten(recipe).items() if value not in OFF}
    return {"model": run.task["model"], **told, "data": data, "task": run.task["name"]}


def _looks_on(watcher: Any) -> bool:
    return isinstance(watcher, dict) and watcher.get("action") in _LOOKS_ON


def titles(firsts: Sequence[Run]) -> list[str]:
    """A title for each task; where two would have the same, with what differs, one setting if that is enough.

    Args:
        firsts: One run of each task.
    """
    return [_title(run, [other for other in firsts if other.task["title"] == run.task["title"]]) for run in firsts]


def _title(run: Run, namesakes: Sequence[Run]) -> str:
    tables = [facts(other) for other in namesakes]
    every = varied(tables)
    # "ViT, 2 layers, width 64" says more than model.width, where it says enough.
    few = [key for key in every if "model" not in every or not key.startswith("model.")]
    enough = (keys for keys in ([], *([key] for key in every), few) if _tell_apart(keys, tables))
    return ", ".join([run.task["title"], *_told(facts(run), next(enough, every))])


def _tell_apart(keys: Sequence[str], tables: Sequence[dict[str, str]]) -> bool:
    return len({_told(table, keys) for table in tables}) == len(tables)


def _told(table: dict[str, str], keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(_fact(key, table[key]) for key in keys if key in table)


def _fact(key: str, value: str) -> str:
    return value if key == "model" else f"{key.rpartition('.')[2].replace('_', ' ')} {value}"
