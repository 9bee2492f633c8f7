"""A disk that is full: one line, nothing lost, and the same command goes on."""

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_processes import TORCHRUN, TRAIN
from test_resume import ENVIRONMENT, assert_same_run, records

from lionkit_lab import checkpoint
from lionkit_lab.engine import Processes
from lionkit_lab.errors import RunError
from lionkit_lab.recipe import load
from lionkit_lab.record import Lines
from lionkit_lab.train import train


def limited(size: int):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


# The weights are a file of 14 kB, what the optimizer keeps is one of more than 40; without one the first step comes.
@pytest.mark.parametrize(("size", "step", "left"), [(30_000, 3, 0), (10_000, 0, None)])
def test_a_checkpoint_that_finds_no_room(tiny: Path, tmp_path: Path, size: int, step: int, left: int | None) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "lionkit_lab", "train", str(tiny), "--out", str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=ENVIRONMENT, preexec_fn=limited(size)
    )
    assert done.returncode == 1, done.stderr
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    where = f"error: checkpoint at step {step} of {folder} could not be written: "
    assert error.startswith(where)
    assert error.endswith("are whole: when there is room, the same command goes on")
    assert not list(folder.glob("*.tmp"))
    saved = checkpoint.load(folder)
    assert (saved and saved.step) == left
    train(load(tiny), folder)
    train(load(tiny), tmp_path / "whole")
    assert_same_run(tmp_path / "whole", folder)


# The optimizer's shards are files of more than 20 kB each.
@pytest.mark.slow  # three starts of torchrun, 10 to 15 s each
@pytest.mark.parametrize(("size", "step", "sharding"), [(10_000, 0, "none"), (30_000, 3, "none"), (17_000, 3, "fsdp2")])
def test_processes_that_find_no_room_tell_it_once(
    tiny: Path, tmp_path: Path, size: int, step: int, sharding: str
) -> None:
    folder = tmp_path / "run"
    more = ["--set", f"engine.sharding={sharding}", "--out", str(folder)]
    done = subprocess.run(
        [*TORCHRUN, "2", *TRAIN, str(tiny), *more],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
        preexec_fn=limited(size),
        timeout=60,
    )
    assert done.returncode == 1
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert error.startswith(f"error: checkpoint at step {step} of {folder} could not be written: ")
    assert error.endswith("are whole: when there is room, the same command goes on")
    assert not list(folder.glob("*.tmp"))
    saved = checkpoint.load(folder)
    assert (saved and saved.step) == (step - 3 if step else None)


class Lost(Processes):
    """Processes of which one ends while the first writes."""

    def on_first(self, work: Callable[[], Any]) -> Any:
        work()
        raise RuntimeError("Connection closed by peer [127.0.0.1]:29500")


def test_a_lost_process_is_no_full_disk(tmp_path: Path) -> None:
    nothing = checkpoint.Snapshot(step=5, weights=[], tensors={}, rest={}, is_shared_out=False)
    with pytest.raises(RuntimeError, match="Connection closed by peer"):
        checkpoint.save(tmp_path, nothing, Lost())


def test_a_record_that_finds_no_room(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, write = tmp_path / "run", Lines.write

    def full(lines: Lines, record: dict) -> bool:
        if record["step"] == 5:
            lines._file.write(b'{"kind": "st')  # what a full disk still took
            lines._file.flush()
            raise OSError(28, "No space left on device")
        return write(lines, record)

    with monkeypatch.context() as patch:
        patch.setattr(Lines, "write", full)
        with pytest.raises(RunError, match=r"run cannot be written: No space left on device; the records and the last"):
            train(load(tiny), folder)
    assert records(folder).endswith(b'{"kind": "st')
    train(load(tiny), folder)
    train(load(tiny), tmp_path / "whole")
    assert_same_run(tmp_path / "whole", folder)
