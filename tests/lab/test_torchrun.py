"""The command under torchrun, as a user meets it: killed, resumed, asked for what cannot be."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from test_resume import ENVIRONMENT, assert_same_run, records

from lionkit_lab.record import claim, read_run

SHARDED = ["--set", "engine.sharding=fsdp2"]
PATIENCE = 100  # seconds


def command(recipe: Path, out: Path, processes: int, *options: str) -> list[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
    return [*launcher, "-m", "lionkit_lab", "train", str(recipe), "--out", str(out), *options]


def finished(recipe: Path, out: Path, processes: int, *options: str, code: int = 0) -> str:
    """Train to the end; return what was said on stderr."""
    line = command(recipe, out, processes, *options)
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=ENVIRONMENT, timeout=PATIENCE)
    assert (done.returncode != 0) == bool(code), done.stderr
    return done.stderr


def errors(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith("error: ")]


def killed(recipe: Path, out: Path, num_records: int, *options: str) -> str:
    """Kill the second of two processes when so many records are there; return what was said on stderr."""
    process = subprocess.Popen(
        command(recipe, out, 2, *options), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    while not (out / "records.jsonl").exists() or records(out).count(b"\n") < num_records:
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.001)
    (second,) = [it for it in psutil.Process(process.pid).children() if it.environ().get("RANK") == "1"]
    second.send_signal(signal.SIGKILL)
    return process.communicate(timeout=PATIENCE)[1]


@pytest.mark.parametrize("options", [[], pytest.param(SHARDED, marks=pytest.mark.slow)])
def test_a_killed_process_ends_the_run_and_the_same_command_goes_on(
    tiny: Path, tmp_path: Path, options: list[str]
) -> None:
    said = killed(tiny, tmp_path / "run", 7, *options)
    assert len(errors(said)) <= 1, said  # torchrun ends the other one, which may have no time for a word
    said = finished(tiny, tmp_path / "run", 2, *options)
    assert said.count("resumed at step") == 1
    assert "warn" not in said.lower().replace("userwarning", "")
    finished(tiny, tmp_path / "whole", 2, *options)
    assert_same_run(tmp_path / "whole", tmp_path / "run")


@pytest.mark.slow
def test_shards_of_two_processes_are_read_by_three(tiny: Path, tmp_path: Path) -> None:
    plain = [*SHARDED, "--set", "model.dropout=0", "--set", "engine.precision=float64"]
    killed(tiny, tmp_path / "run", 9, *plain)
    said = finished(tiny, tmp_path / "run", 3, *plain)
    assert "begun with number of processes 2, now 3: bit-identity is not promised" in said
    finished(tiny, tmp_path / "whole", 1, *plain)
    whole, run = read_run(tmp_path / "whole"), read_run(tmp_path / "run")
    assert [step["loss"] for step in run.steps] == pytest.approx([step["loss"] for step in whole.steps], rel=1e-9)
    assert run.logs[-1]["l1"] == pytest.approx(whole.logs[-1]["l1"], rel=1e-9)


def test_what_all_are_refused_is_told_once(tiny: Path, tmp_path: Path) -> None:
    with claim(tmp_path / "run"):
        said = finished(tiny, tmp_path / "run", 2, code=2)
    assert errors(said) == [f"error: output folder {tmp_path / 'run'} is in use by another process"]
    assert "lionkit_lab/" not in said  # no traceback of ours


def test_a_bad_recipe_is_told_once(tiny: Path, tmp_path: Path) -> None:
    said = finished(tiny, tmp_path / "run", 2, "--set", "engine.accumulate=0", code=2)
    (error,) = errors(said)
    assert error.startswith("error: tiny.toml: engine.accumulate: 0 is not allowed")


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ("2", "WORLD_SIZE=2 is set, and RANK, LOCAL_RANK, MASTER_ADDR, MASTER_PORT not: start several processes by"),
        ("two", "WORLD_SIZE=two is set, and RANK"),
    ],
)
def test_a_world_without_torchrun_is_refused(tiny: Path, tmp_path: Path, size: str, message: str) -> None:
    line = [sys.executable, "-m", "lionkit_lab", "train", str(tiny), "--out", str(tmp_path / "run")]
    environment = ENVIRONMENT | {"WORLD_SIZE": size}
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=environment, timeout=PATIENCE)
    assert done.returncode == 2
    (error,) = errors(done.stderr)
    assert error.startswith(f"error: {message}")
    assert not (tmp_path / "run").exists()
