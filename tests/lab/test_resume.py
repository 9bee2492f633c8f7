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
    kept = saved.tensors(lambda _, shape, dtype: torch.zeros(shape, dtype=dtype), is_sharded=False)
    return saved.weights() | kept


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


# Every thirteenth change of the disk: no period of the loop divides 13, so all kinds have their turn.
@pytest.mark.parametrize("every", [13, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_killed_at_every_kind_of_moment(tiny: Path, tmp_path: Path, every: int) -> None:
    script = Path(__file__).with_name("killed_lives.py")
    command = [sys.executable, str(script), str(tiny), str(tmp_path), "1", str(every)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    lives = [folder for folder in tmp_path.iterdir() if folder.name.isdigit()]
    assert len(lives) == -(-int(done.stdout) // every)
    assert len(lives) > 10
    for folder in lives:
        assert_same_run(tmp_path / "whole", folder)


def test_killed_at_twenty_random_moments(tiny: Path, tmp_path: Path) -> None:
    longer = tmp_path / "longer.toml"
    longer.write_text(tiny.read_text().replace("steps = 12", "steps = 450").replace("every = 4", "every = 50"))
    script = str(Path(__file__).with_name("killed_at_random.py"))
    command = [sys.executable, script, str(longer), str(tmp_path), "20", "8"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    steps = [int(step) for step in done.stdout.split()]
    assert len(steps) == 20
    assert len(set(steps)) > 10  # it was killed where it had come further
    assert_same_run(tmp_path / "whole", tmp_path / "killed")


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


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: [*lines[:3], b"\xff\xfe", *lines[4:]], "line 4 of .*: 'utf-8' codec can't decode"),
        (lambda lines: [b"[1]", *lines[1:]], "line 1 of .*: found list; expected an object"),
        (lambda lines: [*lines[:2], b'{"step": 2}', *lines[3:]], 'line 3 of .*: "kind" missing'),
        (lambda lines: [*lines[:2], b'{"kind": "step"}', *lines[3:]], 'line 3 of .*: "step" missing'),
        (lambda lines: [*lines[:-1], b'{"kind": "end", "step": 3}', b""], '"status" and "reason" missing'),
        (lambda lines: [b"".join(lines)], "line 1 of .*: it does not end, and is not the beginning of one record"),
        (lambda lines: [*lines[:-1], b"noise"], "line 11 of .*: it does not end, and is not the beginning"),
        (lambda lines: [*lines[:2], b"noise", *lines[3:-1], lines[4][:9]], "line 3 of"),
    ],
)
@pytest.mark.parametrize("checkpointed", [True, False])
def test_damaged_records_are_an_error_and_stay_as_they_are(
    tiny: Path, tmp_path: Path, damage, message: str, checkpointed: bool
) -> None:
    folder = interrupted(tiny, tmp_path / "run", 8)
    damaged = b"\n".join(damage(records(folder).split(b"\n")))
    (folder / "records.jsonl").write_bytes(damaged)
    if not checkpointed:
        (folder / "checkpoint.json").unlink()
    with pytest.raises(RunError, match=message):
        train(load(tiny), folder)
    assert records(folder) == damaged


def test_a_torn_line_is_cut_only_when_the_checkpoint_needs_no_more(tiny: Path, tmp_path: Path) -> None:
    folder = interrupted(tiny, tmp_path / "run", 8)
    torn = records(folder)[:20]
    (folder / "records.jsonl").write_bytes(torn)
    with pytest.raises(RunError, match="found 0 lines; expected at least 8"):
        train(load(tiny), folder)
    assert records(folder) == torn
    (folder / "checkpoint.json").unlink()
    train(load(tiny), folder)
    train(load(tiny), tmp_path / "whole")
    assert_same_run(tmp_path / "whole", folder)


@pytest.mark.parametrize("content", [b"{", b'{"format": 1}', {"recipe_sha256": None}, {"versions": 3}])
def test_a_damaged_manifest_is_an_error_and_stays_as_it_is(tiny: Path, tmp_path: Path, content) -> None:
    folder = interrupted(tiny, tmp_path / "run", 8)
    path = folder / "manifest.json"
    if isinstance(content, dict):
        content = json.dumps(json.loads(path.read_text()) | content).encode()
    path.write_bytes(content)
    with pytest.raises(RunError, match=r'manifest ".*manifest.json"'):
        train(load(tiny), folder)
    assert path.read_bytes() == content


def test_another_environment_is_told_in_one_line(tiny: Path, tmp_path: Path) -> None:
    folder = interrupted(tiny, tmp_path / "run", 8)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["versions"] |= {"torch": "2.10.0", "numpy": "1.0"}
    manifest["machine"] |= {"threads": 64}
    path.write_text(json.dumps(manifest))
    notes = Notes()
    train(load(tiny), folder, notes)
    begun = f"begun with torch 2.10.0, now {torch.__version__}; number of threads 64, now 1"
    assert notes.lines[0] == f"warning: {folder}: {begun}: bit-identity is not promised"
    train(load(tiny), folder, again := Notes())
    assert again.lines == [f"{folder}: finished already, at step 12"]


@pytest.mark.parametrize("file", ["model.safetensors", "loop.pt", "optimizer/__0_0.distcp", "optimizer/.metadata"])
def test_a_damaged_checkpoint_is_an_error(tiny: Path, tmp_path: Path, file: str) -> None:
    folder = interrupted(tiny, tmp_path / "run", 8)
    data = folder / "step-000006" / file
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(bytes(content))
    before = records(folder)
    with pytest.raises(RunError, match=rf"{file} is damaged: found sha256 \w+; expected \w+; restore the file"):
        train(load(tiny), folder)
    data.unlink()
    with pytest.raises(RunError, match=rf"{file} is damaged: found no such file"):
        train(load(tiny), folder)
    (folder / "checkpoint.json").write_text("{}")
    with pytest.raises(RunError, match=r"checkpoint.json is damaged: found KeyError: 'folder'; expected step, folder"):
        train(load(tiny), folder)
    assert records(folder) == before


def test_a_finished_run_says_so(tiny: Path, tmp_path: Path) -> None:
    train(load(tiny), tmp_path / "run")
    before, notes = records(tmp_path / "run"), Notes()
    train(load(tiny), tmp_path / "run", notes)
    assert notes.lines == [f"{tmp_path / 'run'}: finished already, at step 12"]
    assert records(tmp_path / "run") == before
