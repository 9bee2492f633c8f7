"""Settings, versions, machines, seeds and data of the runs, as tables to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lionkit_lab.record import Record, Run
from lionkit_lab.settings import flatten, varied


@dataclass(frozen=True)
class Settings:
    """The recipes of some runs.

    Attributes:
        shared: Dotted key and value of every setting that is the same in all runs.
        keys: The dotted keys of the settings that are not.
        runs: For each run its values, in the order of ``keys``; an empty text where a run lacks the setting.
    """

    shared: list[tuple[str, str]]
    keys: list[str]
    runs: list[tuple[Run, list[str]]]


def settings(runs: Sequence[Run]) -> Settings:
    """Separate what the recipes share from what tells them apart.

    Args:
        runs: The runs of one task.

    Returns:
        Every setting of every recipe, each exactly once.
    """
    recipes = [flatten(run.manifest["recipe"]) for run in runs]
    keys = varied(recipes)
    shared = [(key, value) for key, value in recipes[0].items() if key not in keys]
    values = [[recipe.get(key, "") for key in keys] for recipe in recipes]
    return Settings(shared, keys, list(zip(runs, values, strict=True)))


def provenance(runs: Iterable[Run]) -> dict[str, list[Any]]:
    """Collect where the numbers come from.

    Args:
        runs: Every run of the report.

    Returns:
        ``tables``: title and rows of versions, machine and origin, where differing values of a key stand side by
        side; ``data``: every data file once, as its manifest describes it.
    """
    manifests = [run.manifest for run in runs]
    origin = [_origin(manifest) for manifest in manifests]
    tables = [
        ("Versions", _merge(manifest["versions"] for manifest in manifests)),
        ("Machine", _merge(manifest["machine"] for manifest in manifests)),
        ("Origin", _merge(origin)),
    ]
    data = {entry["sha256"]: entry for manifest in manifests for entry in manifest["data"]}
    return {"tables": tables, "data": list(data.values())}


def _origin(manifest: Record) -> Record:
    return {
        "seed": manifest["seed"],
        "commit": manifest["commit"] or "not recorded",
        "started": manifest["created"][:10],
        "record format": manifest["format"],
    }


def _merge(tables: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    merged: dict[str, dict[str, None]] = {}
    for table in tables:
        for key, value in table.items():
            merged.setdefault(key.replace("_", " "), {})[str(value)] = None
    return [(key, ", ".join(values)) for key, values in merged.items()]
