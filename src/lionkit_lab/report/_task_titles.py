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
_AS_BEFORE = {"engine.precision": "float32", "engine.accumulate": "1"}
"""How runs were computed before their recipes could say otherwise."""


def facts(run: Run) -> dict[str, str]:
    """Everything that the runs of one task have in common: the recipe but for ``_FREE``, and the data's hashes.

    Watchers that only look on are not in it, nor what is off: runs of versions without them are runs of the same task.
    Of processes that agree their number is in it, which decides what they agree on.
    """
    recipe = {key: value for key, value in run.manifest["recipe"].items() if key not in _FREE}
    recipe["watch"] = _acting(recipe.get("watch", {}))
    hashes = " ".join(entry["sha256"] for entry in run.manifest["data"])
    data = sha256(hashes.encode()).hexdigest()[:8]
    told = {key: value for key, value in flatten(recipe).items() if value not in OFF and _AS_BEFORE.get(key) != value}
    if "engine.agreement" in told:
        told["processes"] = str(run.manifest["machine"].get("processes", 1))
    return {"model": run.task["model"], **told, "data": data, "task": run.task["name"]}


def _acting(watch: dict[str, Any]) -> dict[str, Any]:
    """Return the watchers that may change a run, and how; a loss that is not finite has always ended it."""
    watchers = {key: value for key, value in watch.items() if isinstance(value, dict)}
    acting = {key: value for key, value in watchers.items() if value.get("action") not in _LOOKS_ON}
    if all((key, value["action"]) == ("non_finite", "stop") for key, value in acting.items()):
        return {}
    return {key: value for key, value in watch.items() if key in acting or key not in watchers}


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
