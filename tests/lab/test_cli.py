"""The command line, as a user meets it."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lionkit_lab import __main__
from lionkit_lab.cli import app

HEAVY = ("torch", "transformers", "matplotlib", "plotly", "pydantic", "numpy", "lionkit")


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
        (["train"], "Missing argument"),
        (["tarin"], "No such command"),
    ],
)
def test_a_usage_error_is_one_line_and_code_2(arguments: list[str], message: str) -> None:
    error = invoke(*arguments, code=2).stderr
    assert message in error
    assert "Traceback" not in error
    if error.startswith("error:"):
        assert error.count("\n") == 1


def test_debug_shows_the_traceback() -> None:
    assert "Traceback" in invoke("train", "mobydick", "--debug", code=2).stderr


def test_train_reports_a_damaged_file_with_code_1(tiny: Path, tmp_path: Path) -> None:
    result = invoke("train", tiny, "--set", f"task.data={tmp_path}", "--out", tmp_path / "run", code=1)
    assert "train-images-idx3-ubyte.gz: not found" in result.stderr


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


def test_a_demo_needs_something_to_compare(tmp_path: Path, tiny: Path) -> None:
    alone = tmp_path / "alone.toml"
    alone.write_text(tiny.read_text().partition("[[compare]]")[0])
    assert "needs a [[compare]] list" in invoke("demo", alone, code=2).stderr
