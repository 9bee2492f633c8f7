"""The command under torchrun, as a user meets it: killed, resumed, asked for what cannot be."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psutil
import pytest
import torch.distributed as dist
from test_resume import ENVIRONMENT, assert_same_run, records, weights

from lionkit.distributed import DivergedWorkerError, VoteError
from lionkit_lab.engine import Processes, _processes
from lionkit_lab.errors import RunError
from lionkit_lab.record import claim, read_run
from lionkit_lab.train._ending import ending_together

SHARDED = ["--set", "engine.sharding=fsdp2"]
VOTING = ["--set", "engine.agreement=vote", "--set", "training.clip=none"]
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


@pytest.mark.parametrize("options", [[], *(pytest.param(it, marks=pytest.mark.slow) for it in (SHARDED, VOTING))])
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


@pytest.mark.slow
def test_two_voters_are_followed_by_three_where_they_may(tiny: Path, tmp_path: Path) -> None:
    killed(tiny, tmp_path / "run", 9, *VOTING)
    before = weights(tmp_path / "run")
    said = finished(tiny, tmp_path / "run", 3, *VOTING, code=2)
    (error,) = errors(said)
    assert error.startswith('error: engine.momenta: "refuse" is not allowed here: the checkpoint has the momenta of 2')
    assert all(value.equal(before[name]) for name, value in weights(tmp_path / "run").items())
    said = finished(tiny, tmp_path / "run", 3, *VOTING, "--set", "engine.momenta=average")
    assert "begun with number of processes 2, now 3: bit-identity is not promised" in said
    folders = {name.partition("/")[0] for name in weights(tmp_path / "run") if "/" in name}
    assert folders == {"worker 0", "worker 1", "worker 2"}
    assert [step["step"] for step in read_run(tmp_path / "run").steps] == list(range(1, 13))


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


def test_a_restart_does_not_meet_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    store = dist.HashStore()
    store.set("address", "of nobody")
    monkeypatch.setattr(_processes, "rendezvous", lambda url, timeout: iter([(store, 1, 4)]))
    assert _processes._after_a_restart() == {}
    for count in ("1", "2"):
        monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", count)
        monkeypatch.setenv("GROUP_WORLD_SIZE", "1")
        found = _processes._after_a_restart()
        assert (found["rank"], found["world_size"]) == (1, 4)
        assert not found["store"].check(["address"])
        found["store"].set("address", f"of restart {count}")
    monkeypatch.setenv("GROUP_WORLD_SIZE", "2")  # whose counts may differ
    assert _processes._after_a_restart() == {}


@pytest.mark.parametrize(
    ("error", "who"),
    [
        (RuntimeError("Connection closed by peer [127.0.0.1]:4842"), ""),
        (VoteError("a vote has failed (Connection closed by peer)", [1, 3]), ": ranks 1, 3 do not answer"),
        (VoteError("a vote has failed (in words of its own)", [2]), ": rank 2 does not answer"),
    ],
)
def test_who_is_lost_is_told_where_it_is_known(tmp_path: Path, error: Exception, who: str) -> None:
    processes = SimpleNamespace(rank=0, count=4, is_first_to_tell=lambda: True)
    with pytest.raises(RunError) as caught, ending_together(cast("Processes", processes), tmp_path):
        raise error
    assert str(caught.value) == (
        f"process 0 of 4 has lost another one of the run in {tmp_path}{who}; "
        "the same command goes on from the last checkpoint"
    )


def test_a_worker_with_other_weights_is_told_of(tmp_path: Path) -> None:
    processes = SimpleNamespace(rank=0, count=2, is_first_to_tell=lambda: True)
    with pytest.raises(RunError) as caught, ending_together(cast("Processes", processes), tmp_path):
        raise DivergedWorkerError("rank 1 has diverged", [1], "head.weight")
    assert str(caught.value).startswith(f"{tmp_path}: rank 1 has diverged; its checkpoints were the same")


def test_processes_that_do_not_meet_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**_: object) -> None:
        raise RuntimeError("Gloo connectFullMesh failed\nwith frames")

    monkeypatch.setattr(_processes, "PartialState", fails)
    with pytest.raises(RuntimeError, match=r"^Gloo connectFullMesh failed"):  # of one process, and whole
        _processes._met()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(RunError, match=r"^the processes of the run have not met: Gloo connectFullMesh failed$"):
        _processes._met()
