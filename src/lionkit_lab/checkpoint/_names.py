"""What a checkpoint is made of."""

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FORMAT = 1  # of the pointer and what it points to
POINTER = "checkpoint.json"
WEIGHTS = "model.safetensors"
TENSORS = "optimizer"
REST = "loop.pt"
KEPT = "kept"


def step_name(step: int) -> str:
    """Return the name of the checkpoint of a step."""
    return f"step-{step:06d}"


def files(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file below ``folder``, by its path in it."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in found}


@contextmanager
def one_process_is_meant() -> Iterator[None]:
    """Keep torch from telling that a process reads or writes alone: it was asked to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="torch.distributed is disabled, unavailable or uninitialized")
        yield


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
