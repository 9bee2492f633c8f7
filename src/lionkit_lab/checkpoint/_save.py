"""Writing checkpoints."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed.checkpoint as dcp
from safetensors.torch import save_file
from torch import Tensor

from lionkit_lab import atomic
from lionkit_lab.checkpoint._failing import failing_well
from lionkit_lab.checkpoint._names import (
    FORMAT,
    KEPT,
    POINTER,
    REST,
    TENSORS,
    WEIGHTS,
    files,
    one_process_is_meant,
    step_name,
)
from lionkit_lab.engine import Processes


@dataclass(frozen=True)
class Snapshot:
    """All that the coming steps depend on.

    Attributes:
        step: Steps done, at least 0.
        weights: Every weight and buffer by its name, as a whole; asked for once, by all processes together.
        tensors: What the optimizer keeps, by name: in shards where the weights are, or this process's own.
        rest: Numbers, strings, small tensors and containers of them.
        is_shared_out: Whether each process has its own part of ``tensors``.
    """

    step: int
    weights: Iterable[tuple[str, Tensor]]
    tensors: dict[str, Tensor]
    rest: dict[str, Any]
    is_shared_out: bool


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
    fails = partial(failing_well, folder, snapshot.step, temporary)
    processes.on_first(fails()(lambda: _make_anew(temporary)))
    weights = _gathered(snapshot.weights, processes)
    processes.on_first(fails(RuntimeError)(lambda: _write_whole(temporary, weights, snapshot.rest)))
    if snapshot.tensors:
        write = fails()(lambda: _write_tensors(temporary / TENSORS, snapshot))
        (processes.together if snapshot.is_shared_out else processes.on_first)(write)
    processes.on_first(fails()(lambda: _put_in_force(folder, temporary, target, snapshot.step)))


def keep(folder: Path, step: int, weights: Iterable[tuple[str, Tensor]], processes: Processes) -> None:
    """Save weights that stay, as ``kept/step-N.safetensors``; all processes together.

    Raises:
        RunError: They cannot be written.
    """
    path = folder / KEPT / f"{step_name(step)}.safetensors"
    temporary = path.with_name(path.name + atomic.TEMPORARY)
    found = _gathered(weights, processes)

    @failing_well(folder, step, temporary)
    def write() -> None:
        path.parent.mkdir(exist_ok=True)
        save_file(found, temporary, metadata={"format": "pt"})
        atomic.replace(temporary, path)

    processes.on_first(write)


def forget(folder: Path, step: int) -> None:
    """Delete the weights that were kept after ``step``: the run was taken back to it."""
    for path in (folder / KEPT).glob("step-*.safetensors"):
        if path.stem > step_name(step):
            path.unlink()


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


def _write_tensors(folder: Path, snapshot: Snapshot) -> None:
    writer = dcp.FileSystemWriter(folder)
    with one_process_is_meant():
        dcp.save(snapshot.tensors, storage_writer=writer, no_dist=not snapshot.is_shared_out)


def _put_in_force(folder: Path, temporary: Path, target: Path, step: int) -> None:
    pointer = {"format": FORMAT, "step": step, "folder": target.name, "files": files(temporary)}
    shutil.rmtree(
        target, ignore_errors=True
    )  # A kill came between the two lines below; the pointer is to an older one.
    atomic.replace(temporary, target)
    # A kill before this line leaves the old checkpoint in force, after it the new one.
    atomic.write(folder / POINTER, json.dumps(pointer).encode())
    for old in folder.glob("step-*"):
        if old != target:
            shutil.rmtree(old)
