"""Checkpoints: one data file and a pointer to it, replaced atomically."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import torch

from lionkit_lab import atomic
from lionkit_lab.errors import RunError

_POINTER = "checkpoint.json"


def save(folder: Path, step: int, state: dict[str, Any]) -> None:
    """Save ``state`` as the folder's checkpoint, then delete older ones.

    Args:
        folder: The run folder.
        step: Steps done, at least 0.
        state: Tensors, numbers, strings and containers of them.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content, name = buffer.getvalue(), f"step-{step:06d}.pt"
    atomic.write(folder / name, content)
    pointer = {"step": step, "file": name, "sha256": hashlib.sha256(content).hexdigest()}
    # A kill before this line leaves the old checkpoint in force, after it the new one.
    atomic.write(folder / _POINTER, json.dumps(pointer).encode())
    for old in folder.glob("step-*.pt*"):
        if old.name != name:
            old.unlink()


def load(folder: Path) -> dict[str, Any] | None:
    """Load the folder's checkpoint, or return None when it has none.

    Raises:
        RunError: The checkpoint is damaged.
    """
    path = folder / _POINTER
    if not path.exists():
        return None
    try:
        pointer = json.loads(path.read_bytes())
        data, expected = folder / pointer["file"], pointer["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, f"found {type(error).__name__}: {error}; expected step, file and sha256") from error
    if not data.exists():
        raise _damaged(data, "found no such file; expected the one that checkpoint.json names")
    content = data.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise _damaged(data, f"found sha256 {found}; expected {expected}")
    return torch.load(io.BytesIO(content), weights_only=True)


def _damaged(path: Path, what: str) -> RunError:
    advice = f"restore the file, or delete {path.parent} to start again"
    return RunError(f"checkpoint {path} is damaged: {what}; {advice}")
