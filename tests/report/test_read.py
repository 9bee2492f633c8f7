"""Run folders are read as far as they go, and damage is named."""

import math

import pytest
from fake_runs import write_run

from lionkit_lab.errors import RunError, UsageError
from lionkit_lab.record import find_runs, read_run


def test_a_finished_run(tmp_path):
    run = read_run(write_run(tmp_path / "a", lr=3e-4))
    assert (run.label, run.status, run.task["name"]) == ("lion, lr 0.0003", "finished", "fashion-mnist")
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


def test_records_of_other_kinds_are_kept_aside(tmp_path):
    folder = write_run(tmp_path / "a")
    plain = read_run(folder)
    with (folder / "records.jsonl").open("a") as file:
        file.write('{"kind": "warning", "step": 7, "text": "the loss rises"}\n')
        file.write('{"kind": "statistics", "step": 9, "c_min": "inf", "groups": [{"numel": 3}]}\n')
    run = read_run(folder)
    assert (run.logs, run.steps, run.end) == (plain.logs, plain.steps, plain.end)
    assert [(record["step"], record["text"]) for record in run.warnings] == [(7, "the loss rises")]
    assert run.others[1]["c_min"] == math.inf
    assert (plain.others, plain.warnings) == ([], [])


def test_a_damaged_line_is_named(tmp_path):
    folder = write_run(tmp_path / "a")
    records = folder / "records.jsonl"
    records.write_text("{broken\n" + records.read_text())
    with pytest.raises(RunError, match=r"line 1 of .*records\.jsonl"):
        read_run(folder)


@pytest.mark.parametrize(
    ("text", "message"), [("{", "cannot be read"), ('{"format": 7}', "format 7"), ("[]", "list; expected an object")]
)
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


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("records.jsonl", b"\xff\xfe\n", r'line 1 of ".*records\.jsonl".*utf-8.*expected one JSON object'),
        ("records.jsonl", b"[1]\n", r'line 1 of ".*records\.jsonl"'),
        ("records.jsonl", b'{"step": 3}\n', r"line 1 of .*'kind'"),
        ("records.jsonl", b'{"kind": "step", "step": 3}\n', r'line 1 of .*"loss": Field required'),
        ("records.jsonl", b'{"kind": "log", "loss": 3}\n', r'line 1 of .*"step": Field required'),
        ("records.jsonl", b'{"kind": "step", "step": 3, "loss": "much"}\n', r'line 1 of .*"loss'),
        ("records.jsonl", b'{"kind": "warning", "text": "no step"}\n', r'line 1 of .*"step": Field required'),
        ("timing.jsonl", b'{"kind": "log", "seconds": "x"}\n', r'line 1 of .*timing\.jsonl.*"seconds": .*number'),
        ("manifest.json", b"\xff{}", r'manifest ".*manifest\.json" cannot be read'),
        ("manifest.json", b'{"format": 1}', r'manifest\.json": "name": Field required'),
    ],
)
def test_damage_is_one_line_that_names_file_line_and_what_is_expected(tmp_path, file, content, message):
    folder = write_run(tmp_path / "a")
    (folder / file).write_bytes(content)
    with pytest.raises(RunError, match=message) as error:
        read_run(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("key", ["num_logged", "metric", "num_parameters"])
def test_a_manifest_without_what_the_report_needs_is_named(tmp_path, key):
    folder = write_run(tmp_path / "a")
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace(f'"{key}"', '"other"'))
    with pytest.raises(RunError, match=rf'manifest ".*": "task\.{key}": Field required'):
        read_run(folder)


def test_what_a_rollback_has_undone_is_not_read(tmp_path):
    folder = write_run(tmp_path / "a", end=False)
    plain = read_run(folder)
    with (folder / "records.jsonl").open("a") as file:
        file.write('{"kind": "warning", "step": 253, "text": "the loss rises", "action": "rollback"}\n')
        file.write('{"kind": "rollback", "step": 126, "lr": 0.1, "left": 252, "rollbacks": 1}\n')
        file.write('{"kind": "step", "step": 130, "loss": 0.25}\n')
    run = read_run(folder)
    before = [step for step in plain.steps if step["step"] <= 126]
    assert 0 < len(before) < len(plain.steps)
    assert run.steps[:-1] == before
    assert (run.steps[-1]["step"], run.steps[-1]["loss"]) == (130, 0.25)
    assert run.logs == [log for log in plain.logs if log["step"] <= 126]
    assert [record["kind"] for record in run.others] == ["warning", "rollback"]


def test_a_warning_without_a_text_is_damaged(tmp_path):
    folder = write_run(tmp_path / "a", end=False)
    with (folder / "records.jsonl").open("a") as file:
        file.write('{"kind": "warning", "step": 7}\n')
    with pytest.raises(RunError, match=r'records\.jsonl" is damaged: "text": Field required'):
        read_run(folder)
