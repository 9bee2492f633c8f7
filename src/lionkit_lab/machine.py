"""The machine, and the commit of the code: no names of users, hosts or folders."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import torch

_ROOT = Path(__file__).parents[2]


def machine() -> dict[str, Any]:
    """Return what a measurement depends on."""
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


def commit() -> str | None:
    """Return the commit of a source checkout, with "-dirty" after local changes; None for an installed package."""
    if not (_ROOT / ".git").exists():
        return None
    command = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None  # no git, or a repository of another user
    return answer.stdout.strip() or None
