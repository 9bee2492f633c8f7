"""Run folders are read as far as they go, and damage is named."""

import math

import pytest
from fake_runs import write_run

from lionkit_lab.errors import RunError, UsageError
from lionkit_lab.record import find_runs, read_run


def test_a_finished_run(tmp_path):
    run = read_run(write_run(tmp_path / "a", lr=3e-4))
    assert (run.label, run.status, run.task["name"]) == ("Lion, lr 0.0003", "finished", "fashion-mnist")
    assert [log["step"] for log in run.logs] == list(range(0, 505, 63))
    assert run.seconds == pytest.approx(9 * 0.31 + 8 * 1.7)


def test_non_finite_values_become_floats(tmp_path):
    run = read_run(write_run(tmp_path / "a", optimizer="sgd", lr=1.0, speed=None))
    assert run.status == "diverged"
    assert math.isnan(run.steps[-1]["loss"])


def test_an_unfinished_run_may_end_within_a_line(tmp_path):
    folder = write_run(tmp_path / "a", end=False)
    with (folder / "records.jsonl").open("a") as file:
        file.write('{"kind": "step", "st')
    run = read_run(folder)
    assert run.status == "unfinished"
    assert run.steps[-1]["step"] == 252


def test_a_run_that_has_not_recorded_anything(tmp_path):
    folder = write_run(tmp_path / "a")
    (folder / "records.jsonl").unlink()
    (folder / "timing.jsonl").unlink()
    run = read_run(folder)
    assert (run.logs, run.steps, run.end, run.seconds) == ([], [], None, 0.0)


def test_a_damaged_line_is_named(tmp_path):
    folder = write_run(tmp_path / "a")
    records = folder / "records.jsonl"
    records.write_text("{broken\n" + records.read_text())
    with pytest.raises(RunError, match=r"line 1 of .*records\.jsonl"):
        read_run(folder)


@pytest.mark.parametrize(("text", "message"), [("{", "cannot be read"), ('{"format": 7}', "format 7"), ("[]", "None")])
def test_a_damaged_manifest_is_named(tmp_path, text, message):
    folder = write_run(tmp_path / "a")
    (folder / "manifest.json").write_text(text)
    with pytest.raises(RunError, match=message):
        read_run(folder)


def test_find_runs_searches_all_depths_and_reads_each_once(grid):
    assert len(find_runs([grid, grid / "moby-dick", grid / "moby-dick" / "sgd-1"])) == 18


def test_find_runs_names_a_missing_folder_and_the_nearest_one(tmp_path):
    (tmp_path / "demo-runs").mkdir()
    with pytest.raises(UsageError, match=r'demo-run" is not a folder \(did you mean ".*demo-runs"\?\)'):
        find_runs([tmp_path / "demo-run"])


def test_find_runs_says_what_a_run_is(tmp_path):
    with pytest.raises(UsageError, match=r"no runs in .*manifest\.json"):
        find_runs([tmp_path])
