"""`lionkit bench`, as a user meets it."""

import csv
import subprocess
import sys
from collections import Counter

import pytest
from typer.testing import CliRunner

from lionkit_lab.bench import BASELINE, _memory, measure
from lionkit_lab.bench._csv import COLUMNS
from lionkit_lab.cli import app


def invoke(*arguments, code=0):
    result = CliRunner().invoke(app, ["bench", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def test_the_command_measures_prints_draws_and_appends(tmp_path):
    figure, record = tmp_path / "bench.svg", tmp_path / "bench.csv"
    cases = ["--case", "float32,2x3000", "--case", "bfloat16,1x9000", "--only", "lion-pytorch", "--only", "int8"]
    command = [sys.executable, "-m", "lionkit_lab", "bench", *cases, "--threads", "1"]
    lines = []
    for _ in range(2):
        run = subprocess.run([*command, "--csv", record, "--figure", figure], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        assert "| lion-pytorch |" in run.stdout
        assert "## bfloat16,1x9000: bfloat16, 1 x 9,000, 200 rounds" in run.stdout
        assert "<svg" in figure.read_text()
        lines.append(record.read_text().splitlines())
    assert lines[1][: len(lines[0])] == lines[0]
    assert lines[1].count(",".join(COLUMNS)) == 1
    rows = list(csv.DictReader(lines[1]))
    assert Counter(row["contender"] for row in rows)[BASELINE] == 4
    assert {row["threads"] for row in rows} == {"1"}
    int8 = next(row for row in rows if "int8" in row["contender"] and row["case_dtype"] == "bfloat16")
    assert (int8["status"], int8["case_numel"]) == ("measured", "9000")


def test_a_case_too_large_for_memory_is_left_out(monkeypatch):
    monkeypatch.setattr(_memory, "_free_bytes", lambda: 10**6)
    result = invoke("--case", "float32,1x1000000", code=1)
    assert "left out: too little free memory for 1,000,000 parameters" in result.stdout
    assert result.stderr.endswith("error: no case could be measured\n")


def test_a_record_with_other_columns_is_refused_and_left_alone(tmp_path):
    record = tmp_path / "old.csv"
    record.write_text("commit,date,speed\n1,2,3\n")
    error = invoke("--case", "1e4", "--csv", record, code=2).stderr
    assert error == f'error: file {record} has other columns ("speed" in the place of "processor"): name another one\n'
    assert record.read_text() == "commit,date,speed\n1,2,3\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--quick", "--full"], "error: --quick and --full exclude each other\n"),
        (["--case", "larg"], 'error: case "larg" is not known (did you mean "large"?); known: large, many, '),
        (["--case", "int8,1x10"], 'error: case "int8,1x10" is not known'),
        (["--case", "float32,0x10"], 'error: case "float32,0x10" is not known'),
        (
            ["--only", "lionkitt"],
            'error: contender "lionkitt" is not known (did you mean "lionkit"?); known: "lionkit"',
        ),
        (["--figure", "bench.jpg"], "error: figure bench.jpg must end with one of .png, .svg, .pdf\n"),
        (["--threads", "0"], "--threads"),
    ],
)
def test_what_cannot_be_is_one_line_before_anything_is_measured(arguments, message):
    error = invoke(*arguments, code=2).stderr
    assert message in error
    assert error.count("\n") == 1


def test_an_unwritable_record_is_one_line(tmp_path):
    error = invoke("--csv", tmp_path / "nowhere" / "bench.csv", code=1).stderr
    assert error.startswith("error: [Errno 2] No such file or directory")


def test_an_interrupted_run_keeps_what_it_has_recorded(monkeypatch, tmp_path):
    def interrupted(case, *others):
        if case.numel == 70:
            raise KeyboardInterrupt
        return measure(case, *others)

    monkeypatch.setattr("lionkit_lab.bench.measure", interrupted)
    record = tmp_path / "bench.csv"
    cases = ("--case", "float32,1x60", "--case", "float32,1x70")
    error = invoke(*cases, "--only", "lion-pytorch", "--csv", record, code=130).stderr
    assert error.endswith("error: interrupted in case float32,1x70, after 1 of 2\n")
    assert {row["case_numel"] for row in csv.DictReader(record.read_text().splitlines())} == {"60"}
