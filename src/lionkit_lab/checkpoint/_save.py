"""Writing checkpoints."""

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed.checkpoint as dcp
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor
from torch.distributed.checkpoint.api import CheckpointException

from lionkit_lab import atomic
from lionkit_lab.checkpoint._names import KEPT, POINTER, REST, TENSORS, WEIGHTS, files, one_process_is_meant, step_name
from lionkit_lab.engine import Processes
from lionkit_lab.errors import RunError


@dataclass(frozen=True)
class Snapshot:
    """All that the coming steps depend on.

    Attributes:
        step: Steps done, at least 0.
        weights: Every weight and buffer by its name, as a whole; asked for once, by all processes together.
        tensors: What the optimizer keeps, by name: in shards where the weights are.
        rest: Numbers, strings, small tensors and containers of them.
        is_sharded: Whether each process has its own part of ``tensors``.
    """

    step: int
    weights: Iterable[tuple[str, Tensor]]
    tensors: dict[str, Tensor]
    rest: dict[str, Any]
    is_sharded: bool


def save(folder: Path, snapshot: Snapshot, processes: Processes) -> None:
    """Save a checkpoint as the folder's, then delete older ones; all processes together.

    Args:
        folder: The run folder.
        snapshot: What to save.
        processes: Those of the run.

    Raises:
        RunError: It cannot be written, as on a full disk; what stood before stays in force.
    """
    target = folder / step_name(snapshot.step)
    temporary = target.with_name(target.name + atomic.TEMPORARY)
    with _failing_well(folder, snapshot.step, temporary):
        processes.on_first(lambda: _make_anew(temporary))
        weights = _gathered(snapshot.weights, processes)
        processes.on_first(lambda: _write_whole(temporary, weights, snapshot.rest))
        _write_tensors(temporary / TENSORS, snapshot, processes)
        processes.on_first(lambda: _put_in_force(folder, temporary, target, snapshot.step))


def keep(folder: Path, step: int, weights: Iterable[tuple[str, Tensor]], processes: Processes) -> None:
    """Save weights that stay, as ``kept/step-N.safetensors``; all processes together.

    Raises:
        RunError: They cannot be written.
    """
    path = folder / KEPT / f"{step_name(step)}.safetensors"
    temporary = path.with_name(path.name + atomic.TEMPORARY)
    with _failing_well(folder, step, temporary):
        found = _gathered(weights, processes)

        def write() -> None:
            path.parent.mkdir(exist_ok=True)
            save_file(found, temporary, metadata={"format": "pt"})
            atomic.replace(temporary, path)

        processes.on_first(write)


def _gathered(weights: Iterable[tuple[str, Tensor]], processes: Processes) -> dict[str, Tensor]:
    """Return the weights on the first process, and nothing on the others, which help to make them up."""
    found = {}
    for name, tensor in weights:
        if processes.is_first:
            found[name] = tensor.cpu().contiguous()
    return found


def _make_anew(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # what a kill has left
    folder.mkdir()


def _write_whole(folder: Path, weights: dict[str, Tensor], rest: dict[str, Any]) -> None:
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    with (folder / REST).open("wb") as file:
        torch.save(rest, file)


def _write_tensors(folder: Path, snapshot: Snapshot, processes: Processes) -> None:
    if not snapshot.tensors:
        return

    def write() -> None:
        writer = dcp.FileSystemWriter(folder)
        with one_process_is_meant():
            dcp.save(snapshot.tensors, storage_writer=writer, no_dist=not snapshot.is_sharded)

    (processes.together if snapshot.is_sharded else processes.on_first)(write)


def _put_in_force(folder: Path, temporary: Path, target: Path, step: int) -> None:
    pointer = {"step": step, "folder": target.name, "files": files(temporary)}
    shutil.rmtree(
        target, ignore_errors=True
    )  # A kill came between the two lines below; the pointer is to an older one.
    atomic.replace(temporary, target)
    # A kill before this line leaves the old checkpoint in force, after it the new one.
    atomic.write(folder / POINTER, json.dumps(pointer).encode())
    for old in folder.glob("step-*"):
        if old != target:
            shutil.rmtree(old)


@contextmanager
def _failing_well(folder: Path, step: int, temporary: Path) -> Iterator[None]:
    """Say in one line why a checkpoint was not written, and how to go on; leave nothing of it."""
    try:
        yield
    except (OSError, SafetensorError, CheckpointException, RuntimeError) as error:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)
        what = f"checkpoint at step {step} of {folder} could not be written: {_reason(error)}"
        kept = "the records and the checkpoint before it are whole"
        raise RunError(f"{what}; {kept}: when there is room, the same command goes on") from error


def _reason(error: BaseException) -> str:
    """Return the system's own words where there are any: torch's writers wrap them."""
    if isinstance(error, CheckpointException):
        error = next(iter(error.failures.values()))[0]
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror
        seen = seen.__cause__ or seen.__context__
    return str(error).partition("\n")[0]
