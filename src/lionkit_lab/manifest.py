"""The manifest: what was run, on what, with what."""

import os
import platform
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

import lionkit
from lionkit_lab.recipe import Recipe
from lionkit_lab.record import FORMAT
from lionkit_lab.tasks import Task

_ROOT = Path(__file__).parents[2]


def describe(recipe: Recipe, task: Task, num_parameters: int) -> dict[str, Any]:
    """Describe a run; no names of users, hosts or folders."""
    measured = {"num_parameters": num_parameters, "residual_weight_decay": recipe.residual_weight_decay}
    return {
        "format": FORMAT,
        "name": recipe.name,
        "recipe": recipe.as_run(),
        "recipe_sha256": recipe.sha256(),
        "task": task.describe() | measured,
        "data": [asdict(file) for file in task.files],
        "versions": _versions(),
        "machine": _machine(),
        "seed": recipe.seed,
        "commit": _commit(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def changes(standing: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Name what may change the last bits of a run, and differs between its manifest and one made now."""
    before, after = _numerics(standing), _numerics(now)
    return [f"{name} {value}, now {after[name]}" for name, value in before.items() if value != after[name]]


def _numerics(manifest: dict[str, Any]) -> dict[str, Any]:
    versions = {name: manifest["versions"].get(name) for name in ("torch", "lionkit")}
    return versions | {"number of threads": manifest["machine"].get("threads")}


def _versions() -> dict[str, str]:
    others = {name: metadata.version(name) for name in ("transformers", "numpy")}
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "lionkit": lionkit.__version__,
        **others,
    }


def _machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 2**30),
        "threads": torch.get_num_threads(),
        "device": "cpu",
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")  # Linux; platform.processor() is empty there.
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _commit() -> str | None:
    """Return the commit of a source checkout, with "-dirty" after local changes; None for an installed package."""
    if not (_ROOT / ".git").exists():
        return None
    command = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None  # no git, or a repository of another user
    return answer.stdout.strip() or None
