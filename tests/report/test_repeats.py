"""A run that stands in two folders, or was made twice, counts once."""

import json
import shutil
import statistics
from typing import get_args

import pytest
import torch
from fake_runs import write_grid, write_run
from typer.testing import CliRunner

import lionkit
from lionkit_lab import report
from lionkit_lab.cli import app
from lionkit_lab.recipe import OptimizerSettings
from lionkit_lab.record import find_runs
from lionkit_lab.report._optimizers import optimizer_title
from lionkit_lab.report._series import lines
from lionkit_lab.report._tasks import group
from lionkit_lab.report.comparison import compare
from lionkit_lab.report.repeats import distinct, notice
from lionkit_lab.report.table import summarise
from lionkit_lab.report.tables import save

SPEEDS = {1: 1.0, 4: 2.0, 6: 4.0}


@pytest.fixture
def seeded(tmp_path):
    for seed, speed in SPEEDS.items():
        write_run(tmp_path / "runs" / f"{seed}", seed=seed, speed=speed, lr=2e-4, weight_decay=0.3)
    return tmp_path / "runs"


def dated(folder, day):
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace("2026-11-21", f"2026-11-{day}"))


def test_a_copy_of_a_run_changes_no_number(seeded, tmp_path):
    before = save(find_runs([seeded]), tmp_path / "before")
    shutil.copytree(seeded / "4", tmp_path / "copies" / "again")
    runs = find_runs([seeded, tmp_path / "copies"])
    after = save(runs, tmp_path / "after")
    assert [path.read_text() for path in after] == [path.read_text() for path in before]
    (row,) = summarise(runs)
    losses = [run.logs[-1]["train_loss"] for run in find_runs([seeded])]
    assert (row.tried, row.num_seeds) == ("3 of 3, n = 3", 3)
    assert row.train_loss == pytest.approx(statistics.fmean(losses), rel=1e-12)
    assert compare(group(runs))[0].loss.spread.sd == pytest.approx(statistics.stdev(losses), rel=1e-12)
    assert lines(group(runs)[0], "train_loss")[0].label == "Lion, lr 0.0002, mean and range of 3 seeds"


@pytest.mark.parametrize(
    "other",
    [{"seed": 2}, {"lr": 3e-4}, {"weight_decay": 0.2}, {"betas": [0.8, 0.9]}, {"optimizer": "rlion"}],
    ids=lambda other: next(iter(other)),
)
def test_what_differs_in_one_setting_is_no_repeat(tmp_path, other):
    write_run(tmp_path / "a", **({"seed": 1, "lr": 2e-4, "weight_decay": 0.3}))
    write_run(tmp_path / "b", **({"seed": 1, "lr": 2e-4, "weight_decay": 0.3} | other))
    runs = find_runs([tmp_path])
    assert distinct(runs) == runs
    assert notice(runs) == ""


def test_the_one_that_has_ended_counts_and_of_two_the_later(tmp_path):
    for name, day, more in (("a", "20", {}), ("b", "22", {"speed": 1.5}), ("c", "23", {"end": False})):
        dated(write_run(tmp_path / name, seed=3, **more), day)
    for given in (("a", "b", "c"), ("c", "b", "a")):
        runs = find_runs([tmp_path / name for name in given])
        assert [run.folder.name for run in distinct(runs)] == ["b"]
        left = ", ".join(str(tmp_path / name) for name in given if name != "b")
        assert notice(runs) == f"2 runs repeat the settings, data and seed of another and are not counted: {left}"


def test_the_page_and_the_console_say_how_many_are_left_out(seeded, tmp_path):
    for name in "pq":
        shutil.copytree(seeded / "6", tmp_path / "runs" / name)
    page = report.write(find_runs([seeded]), tmp_path / "report").read_text()
    assert "repeated, not counted" in page
    told = CliRunner().invoke(app, ["report", str(seeded), "--out", str(tmp_path / "out")])
    assert told.exit_code == 0
    assert "2 runs repeat the settings, data and seed of another" in told.stderr
    assert "3 of 3, n = 3" in told.stdout


def test_runs_of_versions_with_fewer_settings_are_runs_of_the_same_task(seeded, tmp_path):
    """What is off, and a watcher that only looks on, makes no other task; what acts on the run does."""
    watch = {"loss": {"action": "warn", "window": 50}, "loss_spike": {"action": "off"}, "skips": 3, "lr_factor": 0.5}
    watch["non_finite"] = {"action": "stop"}
    for name, seed, acting in (("old", 7, {}), ("new", 8, {"loss": {"action": "rollback"}})):
        manifest = write_run(seeded / name, seed=seed, lr=2e-4, weight_decay=0.3) / "manifest.json"
        engine = {"sharding": "none", "precision": "float32", "accumulate": 1}
        settings = f'"engine": {engine}, "watch": {watch | acting}'.replace("'", '"')
        manifest.write_text(manifest.read_text().replace('"schedule"', f'{settings}, "schedule"'))
    tasks = group(find_runs([seeded]))
    assert [sorted(run.seed for run in task.runs) for task in tasks] == [[1, 4, 6, 7], [8]]
    assert tasks[1].title.endswith("action rollback")


def test_of_processes_that_agree_their_number_makes_another_task(seeded):
    for name, seed, processes in (("two", 7, 2), ("four", 8, 4), ("other", 9, 4)):
        manifest = write_run(seeded / name, seed=seed, lr=2e-4, weight_decay=0.3) / "manifest.json"
        found = json.loads(manifest.read_text())
        found["recipe"]["engine"] = {"agreement": "vote", "precision": "float32", "accumulate": 1}
        found["machine"]["processes"] = processes
        manifest.write_text(json.dumps(found))
    assert [sorted(run.seed for run in task.runs) for task in group(find_runs([seeded]))] == [[1, 4, 6], [8, 9], [7]]


def test_every_optimizer_is_called_as_its_class():
    (union, *_) = get_args(OptimizerSettings)
    titles = {get_args(one.model_fields["name"].annotation)[0]: one.__name__ for one in get_args(union)}
    assert len(titles) > 10
    assert {name: optimizer_title(name) for name in titles} == titles
    assert all(hasattr(lionkit, title) or hasattr(torch.optim, title) for title in titles.values())


def test_no_file_of_a_report_calls_an_optimizer_by_its_key(tmp_path):
    grid = {"lion": {1e-3: 2.0}, "cautious_lion": {3e-4: 2.5, 1e-3: 1.9}, "sto_sign_sgd": {1e-3: 1.2}}
    report.write(find_runs([write_grid(tmp_path / "runs", grid)]), tmp_path / "report")
    written = [path for path in (tmp_path / "report").rglob("*") if path.suffix in (".md", ".tex", ".csv")]
    text = "\n".join(path.read_text() for path in written)
    assert len(written) > 12
    assert "CautiousLion, lr 0.0003" in text
    assert "StoSignSGD" in text
    assert not [key for key in ("cautious_lion", r"cautious\_lion", "sto_sign") if key in text]
