"""The manifest: what was run, on what, with what."""

import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import torch

import lionkit
from lionkit_lab.engine import Processes
from lionkit_lab.machine import commit, machine
from lionkit_lab.recipe import Recipe
from lionkit_lab.record import FORMAT
from lionkit_lab.tasks import Task


def describe(recipe: Recipe, task: Task, num_parameters: int, processes: Processes) -> dict[str, Any]:
    """Describe a run; no names of users, hosts or folders."""
    where = {"device": processes.device.type, "processes": processes.count}
    measured = {"num_parameters": num_parameters, "residual_weight_decay": recipe.residual_weight_decay}
    return {
        "format": FORMAT,
        "name": recipe.name,
        "recipe": recipe.as_run(),
        "recipe_sha256": recipe.sha256(),
        "task": task.describe() | measured,
        "data": [asdict(file) for file in task.files],
        "versions": _versions(),
        "machine": machine() | where,
        "seed": recipe.seed,
        "commit": commit(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def changes(standing: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Name what may change the last bits of a run, and differs between its manifest and one made now."""
    before, after = _numerics(standing), _numerics(now)
    return [f"{name} {value}, now {after[name]}" for name, value in before.items() if value != after[name]]


def _numerics(manifest: dict[str, Any]) -> dict[str, Any]:
    versions = {name: manifest["versions"].get(name) for name in ("torch", "lionkit")}
    machine = manifest["machine"]
    where = {"device": machine.get("device", "cpu"), "number of processes": machine.get("processes", 1)}
    return versions | {"number of threads": machine.get("threads")} | where


def _versions() -> dict[str, str]:
    others = {name: metadata.version(name) for name in ("transformers", "numpy", "accelerate")}
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "lionkit": lionkit.__version__,
        **others,
    }
