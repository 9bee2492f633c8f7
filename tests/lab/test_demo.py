"""The demo itself: what it must show, from the command to the report in a browser."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lionkit_lab.record import Run, find_runs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "lionkit_lab", "demo", "--out", str(folder)]
    environment = os.environ | {"COLUMNS": "160"}  # wide enough for the table to stand whole
    return folder, subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def best(runs: list[Run], task: str, optimizer: str) -> float:
    losses = [
        run.logs[-1]["train_loss"]
        for run in runs
        if (run.manifest["name"], run.optimizer, run.status) == (task, optimizer, "finished")
    ]
    return min(losses)


def test_the_demo_ends_with_a_table_and_a_report(demo) -> None:
    folder, done = demo
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    for word in ("SGD", "AdamW", "Lion", "train loss"):
        assert word in done.stdout
    assert done.stdout.rstrip().endswith("report.html")
    assert (folder / "report.html").is_file()


@pytest.mark.parametrize("task", ["fashion-mnist", "moby-dick"])
def test_lion_ends_below_sgd_at_its_best(demo, task: str) -> None:
    runs = find_runs([demo[0]])
    assert len([run for run in runs if run.manifest["name"] == task]) == 12
    assert best(runs, task, "lion") < best(runs, task, "sgd")


def test_the_report_opens_quietly(demo, open_page) -> None:
    report = demo[0] / "report.html"
    page = open_page(report)
    assert (page.complaints, page.requests) == ([], [report.as_uri()])
