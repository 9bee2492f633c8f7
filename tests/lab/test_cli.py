"""The command line, as a user meets it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lionkit_lab import __main__
from lionkit_lab.cli import app
from lionkit_lab.cli._errors import LAB_PACKAGES
from lionkit_lab.record import read_run

TWINS = """
[[compare]]
name = "sgd"
weight_decay = 0.1
lrs = [1e-2]
[[compare]]
name = "sgd"
weight_decay = 0.0
lrs = [1e-2]
"""
HEAVY = ("torch", "transformers", "matplotlib", "plotly", "pydantic", "numpy", "optuna", "lionkit")


def invoke(*arguments: object, code: int = 0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from lionkit_lab.__main__ import main\n"
        "sys.argv = ['lionkit', '--help']\n"
        "try: main()\n"
        f"finally: print('HEAVY', [name for name in {HEAVY} if name in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "demo" in output
    assert "HEAVY []" in output


def test_without_typer_one_line_says_what_to_install(monkeypatch, capsys) -> None:
    monkeypatch.setattr(__main__, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as caught:
        __main__.main()
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith('pip install "lionkit[lab]"\n')


def test_recipes_are_listed() -> None:
    output = invoke("recipes").output
    assert "fashion-mnist" in output
    assert "moby-dick" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "mobydick"], 'error: recipe "mobydick" is not known (did you mean "moby-dick"?)'),
        (["train", "moby-dick", "--set", "optimizer.lr=-1"], "error: moby-dick.toml: optimizer.lr: -1 is not allowed"),
        (["report", "nowhere"], 'error: runs "nowhere" is not a folder'),
        (
            ["train", "fashon-mnist.toml"],
            "error: recipe fashon-mnist.toml cannot be read: No such file or directory (did",
        ),
        (["train", "nowhere/fashon-mnist.toml"], 'directory (did you mean "fashion-mnist"?)'),
        (["train"], "error: Missing argument"),
        (
            ["tarin", "moby-dick"],
            'error: command "tarin" is not known (did you mean "train"?); known: demo, train, sweep',
        ),
        (["train", "moby-dick", "--ouut", "x"], "--out"),
        (["--vrbose"], "error: No such option: --vrbose"),
    ],
)
def test_a_usage_error_is_one_line_and_code_2(arguments: list[str], message: str) -> None:
    error = invoke(*arguments, code=2).stderr
    assert message in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert error.endswith("\n")


def test_without_a_command_there_is_help() -> None:
    assert "demo" in invoke().output


@pytest.mark.parametrize("command", ["demo", "report"])
def test_an_output_folder_that_cannot_be_written_is_refused(command: str, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    runs = tiny if command == "demo" else tmp_path / "run"
    if command == "report":
        invoke("train", tiny, "--out", runs)
    error = invoke(command, runs, "--out", tmp_path / "file" / "here", code=2).stderr
    assert error == f"error: output folder {tmp_path / 'file' / 'here'} cannot be written: Not a directory\n"


def test_a_bug_is_one_line_and_code_1(monkeypatch: pytest.MonkeyPatch, tiny: Path) -> None:
    def fail(*_: object) -> None:
        raise ValueError("two\nlines")

    monkeypatch.setattr("lionkit_lab.recipe.load", fail)
    expected = "internal error: ValueError: two lines; run again with --debug for the traceback, and report it"
    assert invoke("train", tiny, code=1).stderr == f"error: {expected}\n"
    assert "Traceback" in invoke("train", tiny, "--debug", code=1).stderr


@pytest.mark.parametrize(
    ("package", "code", "message"),
    [
        ("plotly", 2, 'error: package "plotly" is missing: pip install "lionkit[lab]"'),
        ("somewhere", 1, "error: internal error: ModuleNotFoundError: No module named"),
    ],
)
def test_a_missing_package_is_named(
    monkeypatch: pytest.MonkeyPatch, tiny: Path, package: str, code: int, message: str
) -> None:
    def fail(*_: object) -> None:
        raise ModuleNotFoundError(f"No module named '{package}'", name=package)

    monkeypatch.setattr("lionkit_lab.recipe.load", fail)
    assert invoke("train", tiny, code=code).stderr.startswith(message)


def test_the_install_hint_is_for_the_lab_extra() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    extra = {re.split(r"\W", requirement)[0] for requirement in project["optional-dependencies"]["lab"]}
    assert set(LAB_PACKAGES) == extra


def test_training_needs_a_posix_system(monkeypatch: pytest.MonkeyPatch, tiny: Path, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    error = invoke("train", tiny, "--out", tmp_path / "run", code=2).stderr
    assert error.endswith(
        "error: training needs a POSIX system, such as Linux or macOS: this one cannot lock a run folder\n"
    )


def test_debug_shows_the_traceback() -> None:
    assert "Traceback" in invoke("train", "mobydick", "--debug", code=2).stderr


def test_train_reports_a_damaged_file_with_code_1(tiny: Path, tmp_path: Path) -> None:
    result = invoke("train", tiny, "--set", f"task.data={tmp_path}", "--out", tmp_path / "run", code=1)
    assert f"data {tmp_path}: found run, tiny.toml; expected IDX files, a CIFAR archive or its folder" in result.stderr


def test_a_demo_goes_on_past_a_diverged_run_and_reuses_runs(tiny: Path, tmp_path: Path) -> None:
    first = invoke("demo", tiny, "--out", tmp_path / "demo")
    folders = {path.parent.name: path for path in (tmp_path / "demo" / "tiny").glob("*/records.jsonl")}
    assert set(folders) == {"sgd-lr0.01", "sgd-lr1e+30", "lion-lr0.001"}
    assert '"diverged"' in folders["sgd-lr1e+30"].read_text()
    assert first.stdout.rstrip().endswith("report.html")
    assert (tmp_path / "demo" / "report.html").exists()
    before = {name: path.read_bytes() for name, path in folders.items()}
    invoke("demo", tiny, "--out", tmp_path / "demo")
    assert before == {name: path.read_bytes() for name, path in folders.items()}


def test_a_demo_keeps_runs_apart_that_differ_in_one_setting(tiny: Path, tmp_path: Path) -> None:
    twins = tmp_path / "twins.toml"
    twins.write_text(tiny.read_text().partition("[[compare]]")[0] + TWINS)
    invoke("demo", twins, "--out", tmp_path / "demo")
    for decay in (0.1, 0.0):
        run = read_run(tmp_path / "demo" / "tiny" / f"sgd-lr0.01-weight_decay{decay:g}")
        assert run.manifest["recipe"]["optimizer"]["weight_decay"] == decay
        assert run.manifest["task"]["residual_weight_decay"] == decay


def test_a_demo_needs_something_to_compare(tmp_path: Path, tiny: Path) -> None:
    alone = tmp_path / "alone.toml"
    alone.write_text(tiny.read_text().partition("[[compare]]")[0])
    assert "needs a [[compare]] list" in invoke("demo", alone, code=2).stderr


@pytest.mark.parametrize("command", [["demo"], ["sweep", "fashion-mnist"]], ids=["demo", "sweep"])
def test_what_is_one_process_refuses_to_be_several(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    output = invoke(*command, code=2).output
    assert f"`lionkit {command[0]}` is one process, and WORLD_SIZE is 2" in " ".join(output.split())
