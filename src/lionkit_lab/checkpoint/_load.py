"""Reading checkpoints."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed.checkpoint as dcp
from safetensors.torch import load_file
from torch import Tensor
from torch.distributed.checkpoint.api import CheckpointException

from lionkit_lab.checkpoint._failing import reason
from lionkit_lab.checkpoint._names import FORMAT, POINTER, REST, TENSORS, WEIGHTS, files, one_process_is_meant
from lionkit_lab.engine import Processes
from lionkit_lab.errors import RunError


class Saved:
    """A checkpoint whose files are what they were when they were written.

    Args:
        path: Its folder.
        step: Steps done.
    """

    def __init__(self, path: Path, step: int) -> None:
        self._path, self.step = path, step
        self.rest: dict[str, Any] = torch.load(path / REST, weights_only=True)
        """What `Snapshot.rest` was."""

    def weights(self) -> dict[str, Tensor]:
        """Return every weight and buffer by its name, as a whole, on the CPU."""
        return load_file(self._path / WEIGHTS)

    def tensors(
        self, like: Callable[[str, torch.Size, torch.dtype], Tensor], is_sharded: bool, where: str = ""
    ) -> dict[str, Tensor]:
        """Return what the optimizer kept.

        Args:
            like: Makes the tensor to read into, from its name, shape and dtype: of this process's shard, if any.
            is_sharded: Whether all processes read together, each its part.
            where: What the names begin with of those to read; the names are given and returned without it.

        Raises:
            RunError: They cannot be read.
        """
        folder = self._path / TENSORS
        if not folder.exists():
            return {}
        reader = dcp.FileSystemReader(folder)
        found: dict[str, Any] = reader.read_metadata().state_dict_metadata
        tensors = {
            name: like(name.removeprefix(where), it.size, it.properties.dtype)
            for name, it in found.items()
            if name.startswith(where)
        }
        try:
            with one_process_is_meant():
                dcp.load(tensors, storage_reader=reader, no_dist=not is_sharded)
        except CheckpointException as error:
            raise RunError(f"checkpoint {folder} cannot be read: {reason(error)}") from error
        return {name.removeprefix(where): tensor for name, tensor in tensors.items()}


def load(folder: Path, processes: Processes | None = None) -> Saved | None:
    """Load the folder's checkpoint, or return None when it has none; all processes together.

    Raises:
        RunError: The checkpoint is damaged.
    """
    # One process reads every byte to check it, and not all of them.
    found = (processes.on_first if processes else _alone)(lambda: _checked(folder))
    return Saved(folder / found["folder"], found["step"]) if found else None


def _alone(work: Callable[[], Any]) -> Any:
    return work()


def _checked(folder: Path) -> dict[str, Any] | None:
    path = folder / POINTER
    if not path.exists():
        return None
    try:
        pointer = json.loads(path.read_bytes())
        is_older = "step" in pointer and "folder" not in pointer  # than the first format with a number
        if is_older or pointer.get("format", FORMAT) != FORMAT:
            raise _foreign(path, folder, pointer.get("format", 0))
        data, expected = folder / pointer["folder"], pointer["files"] | {}
        step = int(pointer["step"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        found = f"found {type(error).__name__}: {error}; expected step, folder and files"
        raise _damaged(path, folder, found) from error
    found = files(data)
    for name in expected | found:
        if name not in found:
            raise _damaged(data / name, folder, f"found no such file; expected the one that {POINTER} names")
        if found[name] != expected.get(name):
            raise _damaged(data / name, folder, f"found sha256 {found[name]}; expected {expected.get(name)}")
    return {"folder": data.name, "step": step}


def _damaged(path: Path, folder: Path, what: str) -> RunError:
    return RunError(f"checkpoint {path} is damaged: {what}; restore the file, or delete {folder} to start again")


def _foreign(path: Path, folder: Path, found: object) -> RunError:
    ways = f"go on with the version of lionkit that wrote it, or delete {folder} to start again"
    return RunError(f"checkpoint {path} is of format {found}; this version reads format {FORMAT}: {ways}")
