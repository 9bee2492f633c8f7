"""Sweeps over several processes, and sweeps whose processes are killed."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sweeping_processes import SEEDS, TRIALS

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def sweep(recipe: Path, out: Path, sampler: str = "grid", workers: int = 1, kills: int = 0) -> Path:
    script = Path(__file__).with_name("sweeping_processes.py")
    command = [sys.executable, str(script), str(recipe), str(out), sampler, str(workers), str(kills)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return out


def records(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("records.jsonl")}


def told(out: Path, kind: str) -> list[str]:
    return [line for path in out.glob(f"*.{kind}") for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(swept, tmp_path_factory) -> dict[str, bytes]:
    """The records of a sweep that nobody kills."""
    return records(sweep(swept, tmp_path_factory.mktemp("whole") / "out"))


def test_two_processes_share_a_sweep_and_no_run_is_begun_twice(swept, whole, tmp_path):
    out = sweep(swept, tmp_path / "out", workers=2)
    began = Counter(told(out, "began"))
    assert len(began) == len(whole) == 3 * 2 * SEEDS
    assert set(began.values()) == {1}
    assert records(out) == whole


@pytest.mark.parametrize(
    ("workers", "kills"), [(1, 6), (2, 6), pytest.param(2, 20, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def test_a_sweep_whose_workers_are_killed_ends_as_one_never_killed(swept, whole, tmp_path, workers, kills):
    out = sweep(swept, tmp_path / "out", workers=workers, kills=kills)
    assert records(out) == whole
    notes = told(out, "notes")
    assert any("resumed at step" in note for note in notes)
    assert not any("otherwise" in note for note in notes)


@pytest.mark.slow
def test_killed_tpe_goes_on_with_the_same_proposals(swept, tmp_path):
    one = records(sweep(swept, tmp_path / "one", "tpe"))
    assert len(one) == 3 * TRIALS * SEEDS
    assert records(sweep(swept, tmp_path / "killed", "tpe", kills=6)) == one


def test_two_processes_keep_to_the_budget_of_tpe(swept, tmp_path):
    out = sweep(swept, tmp_path / "out", "tpe", workers=2)
    runs = Counter(Path(name).parts[1] for name in records(out))
    assert runs == dict.fromkeys(("sgd-weight_decay0.1", "sgd-weight_decay0", "lion"), TRIALS * SEEDS)
