"""What the figures show, and the files they are saved as."""

import json
import math

import pytest
from fake_runs import IMAGES, write_run

from lionkit_lab import report
from lionkit_lab.record import find_runs
from lionkit_lab.report import figures
from lionkit_lab.report._captions import caption
from lionkit_lab.report._charts import charts, kkt_residual, lr_sweep, norm_ratio, training_loss
from lionkit_lab.report._provenance import settings
from lionkit_lab.report._tasks import group
from lionkit_lab.report.table import summarise


@pytest.fixture
def images(runs):
    return group(runs)[0]


def test_the_best_run_of_each_optimizer_is_shown(images):
    lines = [series for series in training_loss(images).series if series.kind == "line"]
    assert len(lines) == 9
    assert {s.label for s in lines if s.best} == {"Lion, lr 0.0003", "AdamW, lr 0.003", "SGD, lr 0.1"}


def test_a_diverged_run_does_not_stretch_the_axis(images):
    low, high = training_loss(images).y_range
    assert low < 0.27
    assert math.log(10) < high < 3


def test_the_reference_lines_of_the_ratio(images):
    dim = IMAGES["num_parameters"]
    values = [reference.value for reference in norm_ratio(images).references]
    assert values == pytest.approx([math.sqrt(dim), math.sqrt(2 * dim / math.pi)])


def test_the_residual_has_a_log_axis_only_where_it_is_positive(tmp_path, images):
    assert kkt_residual(images).log_y
    run = find_runs([write_run(tmp_path / "a")])[0]
    run.logs[3]["kkt_residual"] = -0.5
    assert not kkt_residual(group([run])[0]).log_y


def test_the_sweep_marks_diverged_and_unfinished_runs(tmp_path):
    write_run(tmp_path / "a", optimizer="sgd", lr=0.1, speed=1.0)
    write_run(tmp_path / "b", optimizer="sgd", lr=1.0, speed=None)
    write_run(tmp_path / "c", optimizer="sgd", lr=0.3, speed=1.0, end=False)
    chart = lr_sweep(group(find_runs([tmp_path]))[0])
    assert [(s.kind, s.status, s.x) for s in chart.series] == [
        ("line", "finished", (0.1,)),
        ("points", "unfinished", (0.3,)),
        ("points", "diverged", (1.0,)),
    ]


def test_what_single_steps_said_is_drawn_where_it_was_recorded(tmp_path, open_report):
    folder = write_run(tmp_path / "a", seed=7)
    write_run(tmp_path / "b", optimizer="sgd", lr=0.1)
    assert not {"agreement-share", "saturation"} & {chart.key for chart in charts(group(find_runs([folder]))[0])}
    with (folder / "records.jsonl").open("a") as file:
        for step in (5, 10):
            shares = {"agreement_share": 0.06 * step, "saturation": 0.001 * step, "ratio": 200.0 + step}
            record = {"kind": "statistics", "step": step, "epoch": step / 63, **shares, "kkt_residual": "nan"}
            file.write(json.dumps(record) + "\n")
    (task,) = group(find_runs([tmp_path]))
    found = {chart.key: chart for chart in charts(task)}
    (line,) = found["agreement-share"].series
    assert (line.kind, line.label, line.y) == ("trace", "Lion, lr 0.0003", pytest.approx((0.3, 0.6)))
    assert found["norm-ratio"].series[0].x == pytest.approx((5 / 63, 10 / 63))
    assert [series.kind for series in found["norm-ratio"].series] == ["minibatch", "line", "line"]
    assert found["kkt-residual"].series[0].y == (None, None)
    assert "single steps" in caption("norm-ratio", task)
    assert open_report(report.write(task.runs, tmp_path / "report")).complaints == []


def test_a_stopped_run_counts_and_is_no_finished_one(tmp_path):
    records = write_run(tmp_path / "a", seed=7) / "records.jsonl"
    records.write_text(records.read_text().replace('"status": "finished"', '"status": "stopped"'))
    write_run(tmp_path / "b", seed=8)
    (row,) = summarise(find_runs([tmp_path]))
    assert (row.stopped, row.tried, row.best_lr) == (1, "1 of 2", None)
    (task,) = group(find_runs([tmp_path]))
    assert lr_sweep(task).series[1].status == "stopped"


def test_values_that_are_not_finite_are_gaps(tmp_path):
    run = find_runs([write_run(tmp_path / "a")])[0]
    run.logs[2]["ratio"] = math.inf
    assert norm_ratio(group([run])[0]).series[0].y[2] is None


def test_every_figure_is_saved_in_three_formats_with_its_numbers(report_path, runs):
    folder = report_path.parent / "figures"
    drawn = {f"{task.slug}-{chart.key}" for task in group(runs) for chart in charts(task)}
    rows = {f"{task.slug}-overview" for task in group(runs)}
    expected = {f"{name}.{suffix}" for name in drawn | rows for suffix in ("png", "svg", "pdf")}
    expected |= {f"{name}.csv" for name in drawn}
    assert len(expected) == 46
    assert {path.name for path in folder.iterdir()} == expected
    heads = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "csv": b"series,optimizer,status,"}
    assert all(path.read_bytes().startswith(heads[path.suffix[1:]]) for path in folder.iterdir())


def test_the_same_runs_give_the_same_bytes(tmp_path, runs):
    lone = [runs[0]]
    first, second = figures.save(lone, tmp_path / "a"), figures.save(lone, tmp_path / "b")
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(first, second, strict=True))


def test_settings_are_told_once_if_shared(images):
    found = settings(images.runs)
    assert ("optimizer.weight_decay", "0.1") in found.shared
    assert found.keys == ["optimizer.name", "optimizer.lr", "optimizer.betas", "optimizer.momentum"]
    assert found.runs[0][1] == ["lion", "0.0001", "0.9, 0.99", ""]
    assert ("seed", "0") in found.shared  # not "no": zero is a number here


def test_a_rate_of_zero_has_no_place_on_a_log_axis(tmp_path, open_report):
    write_run(tmp_path / "a", lr=0.0)
    write_run(tmp_path / "b", lr=1e-3)
    write_run(tmp_path / "c", lr=1e-1)
    runs = find_runs([tmp_path])
    chart = lr_sweep(group(runs)[0])
    assert [series.x for series in chart.series] == [(1e-3, 1e-1)]
    assert "1 run at rate 0" in caption("learning-rate", group(runs)[0])
    assert open_report(report.write(runs, tmp_path)).complaints == []


def test_a_lone_rate_of_zero(tmp_path, open_report):
    runs = find_runs([write_run(tmp_path / "a", lr=0.0)])
    assert not lr_sweep(group(runs)[0]).log_x
    assert open_report(report.write(runs, tmp_path)).complaints == []
