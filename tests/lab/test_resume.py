"""A killed run resumes to bit-identical weights and records."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from lionkit_lab import checkpoint
from lionkit_lab.errors import RunError
from lionkit_lab.recipe import load
from lionkit_lab.train import train

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def records(folder: Path) -> bytes:
    return (folder / "records.jsonl").read_bytes()


def weights(folder: Path) -> dict[str, torch.Tensor]:
    saved = checkpoint.load(folder)
    assert saved is not None
    return saved["state"]["model"]


def assert_same_run(one: Path, other: Path) -> None:
    assert records(one) == records(other)
    differing = [name for name, value in weights(one).items() if not torch.equal(value, weights(other)[name])]
    assert not differing


class Notes:
    """Keeps the notes, and stops the run at a step as a crash would."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.lines: list[str] = []
        self.stop_at = stop_at

    def begin(self, done: int, total: int) -> None:
        self.began = done

    def step(self, done: int, loss: float) -> None:
        if done == self.stop_at:
            raise KeyboardInterrupt

    def note(self, message: str) -> None:
        self.lines.append(message)


def interrupted(tiny: Path, folder: Path, step: int) -> Path:
    with pytest.raises(KeyboardInterrupt):
        train(load(tiny), folder, Notes(stop_at=step))
    return folder


def test_killed_at_every_kind_of_moment(tiny: Path, tmp_path: Path) -> None:
    script = Path(__file__).with_name("killed_lives.py")
    # Every seventh change of the disk: no period of the loop divides 7, so all kinds have their turn.
    command = [sys.executable, str(script), str(tiny), str(tmp_path), "1", "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    lives = [folder for folder in tmp_path.iterdir() if folder.name.isdigit()]
    assert len(lives) > 10
    for folder in lives:
        assert_same_run(tmp_path / "whole", folder)


def test_the_command_killed_twice(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "lionkit_lab", "train", str(tiny), "--out", str(folder)]
    for num_records in (2, 7):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        while not (folder / "records.jsonl").exists() or records(folder).count(b"\n") < num_records:
            assert process.poll() is None, "ended before it could be killed"
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
    last = subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT)
    assert "resumed at step" in last.stderr
    assert "warn" not in last.stderr.lower()
    train(load(tiny), tmp_path / "whole")
    assert_same_run(tmp_path / "whole", folder)


def test_a_torn_line_is_cut_and_written_again(tiny: Path, tmp_path: Path) -> None:
    folder = interrupted(tiny, tmp_path / "run", 8)
    (folder / "records.jsonl").write_bytes(records(folder)[:-10])
    train(load(tiny), folder)
    train(load(tiny), tmp_path / "whole")
    assert_same_run(tmp_path / "whole", folder)


def test_records_that_come_out_otherwise_are_kept_and_told(tiny: Path, tmp_path: Path) -> None:
    folder = interrupted(tiny, tmp_path / "run", 8)
    *before, last = records(folder).splitlines()
    forged = json.dumps(json.loads(last) | {"loss": 0.5}).encode()
    (folder / "records.jsonl").write_bytes(b"\n".join([*before, forged]) + b"\n")
    notes = Notes()
    train(load(tiny), folder, notes)
    assert forged in records(folder).splitlines()
    assert notes.began == 6
    assert notes.lines[-1].endswith(
        "1 records came out otherwise than before the interruption; those recorded first were kept"
    )


def test_lost_records_are_an_error(tiny: Path, tmp_path: Path) -> None:
    folder = interrupted(tiny, tmp_path / "run", 8)
    (folder / "records.jsonl").write_bytes(b"".join(records(folder).splitlines(keepends=True)[:2]))
    with pytest.raises(RunError, match=r"records.jsonl: found 2 lines; expected at least 8, .*start again"):
        train(load(tiny), folder)


def test_a_damaged_checkpoint_is_an_error(tiny: Path, tmp_path: Path) -> None:
    folder = interrupted(tiny, tmp_path / "run", 8)
    (data,) = folder.glob("step-*.pt")
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(bytes(content))
    before = records(folder)
    with pytest.raises(RunError, match=r"step-000006.pt is damaged: found sha256 \w+; expected \w+; restore the file"):
        train(load(tiny), folder)
    data.unlink()
    with pytest.raises(RunError, match=r"step-000006.pt is damaged: found no such file"):
        train(load(tiny), folder)
    (folder / "checkpoint.json").write_text("{}")
    with pytest.raises(RunError, match=r"checkpoint.json is damaged: found KeyError: 'file'; expected step, file"):
        train(load(tiny), folder)
    assert records(folder) == before


def test_a_finished_run_says_so(tiny: Path, tmp_path: Path) -> None:
    train(load(tiny), tmp_path / "run")
    before, notes = records(tmp_path / "run"), Notes()
    train(load(tiny), tmp_path / "run", notes)
    assert notes.lines == [f"{tmp_path / 'run'}: finished already, at step 12"]
    assert records(tmp_path / "run") == before
