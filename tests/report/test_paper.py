"""Beside the paper: its printed numbers, values through training, and the norm ratio over the sizes."""

import math
import statistics

import pytest
from fake_runs import IMAGES, TEXT, write_run

from lionkit_lab import report
from lionkit_lab.record import find_runs
from lionkit_lab.report import paper
from lionkit_lab.report._charts import charts, norm_ratio
from lionkit_lab.report._growth import growth, ratio_at
from lionkit_lab.report._milestones import milestones
from lionkit_lab.report._tasks import group
from lionkit_lab.report.tables import sheets


@pytest.mark.parametrize(
    ("dim", "title", "place"),
    [
        (11_173_962, "CIFAR-10", "fig. B.4 (b)"),
        (11_220_132, "CIFAR-100", "fig. 1 (b)"),
        (11_220_132, "CIFAR-10", None),  # the head of another data set
        (23_705_252, "cifar100", "fig. 1 (d)"),
        (123_466, "CIFAR-10", None),
        (11_173_962, "Fashion-MNIST", None),
    ],
)
def test_the_papers_network_is_known_by_its_size_and_data(dim, title, place):
    found = paper.network_of({"num_parameters": dim, "title": title})
    assert (found.place if found else None) == place


def test_the_papers_root_stands_beside_the_runs(tmp_path):
    task = {**IMAGES, "title": "CIFAR-10", "num_parameters": 11_173_962}
    (task,) = group(find_runs([write_run(tmp_path / "a", task)]))
    assert norm_ratio(task).references[0].label == "\u221ad = 3342.7 (fig. B.4 (b) of the paper: 3343)"


def runs_of_sizes(folder, dims, exponent):
    """Runs of networks whose norm ratio is 0.6 d^exponent throughout."""
    for seed in (2, 3):
        for dim in dims:
            write_run(folder / f"{dim}-{seed}", {**IMAGES, "num_parameters": dim, "model": f"ViT of {dim}"}, seed=seed)
    found = find_runs([folder])
    for run in found:
        for log in run.logs:
            log["ratio"] = 0.6 * run.task["num_parameters"] ** exponent
    return found


def test_the_growth_of_the_ratio_is_fitted_over_the_tasks(tmp_path):
    found = growth(group(runs_of_sizes(tmp_path, (1000, 20_000, 300_000, 9_000_000), 0.47)))
    assert [law.place for law in found.laws] == ["start", "middle", "end"]
    assert found.laws[2].pooled.exponent.value == pytest.approx(0.47)
    assert found.laws[2].pooled.factor == pytest.approx(0.6)
    assert found.laws[2].pooled.exponent.num_samples == 4  # the seeds of a network are one point
    root, gaussian, fitted, points = found.chart.series
    assert [root.y[0], gaussian.y[0]] == pytest.approx([math.sqrt(root.x[0]), math.sqrt(2 / math.pi * root.x[0])])
    assert fitted.y[1] == pytest.approx(0.6 * fitted.x[1] ** 0.47)
    assert points.x == (1000, 20_000, 300_000, 9_000_000)


def test_two_sizes_have_no_exponent(tmp_path):
    assert growth(group(runs_of_sizes(tmp_path, (1000, 20_000), 0.47))) is None


def test_the_growth_is_on_the_page_and_a_figure_of_its_own(tmp_path, open_report):
    runs = runs_of_sizes(tmp_path / "runs", (1000, 20_000, 300_000), 0.5)
    page = open_report(report.write(runs, tmp_path / "report"))
    assert page.complaints == []
    assert page.locator("#size .trace.scatter").count() == 4  # two laws, the fit and the arm
    assert {path.suffix for path in (tmp_path / "report" / "figures").glob("size.*")} == {
        ".png",
        ".svg",
        ".pdf",
        ".csv",
    }


def test_the_ratio_is_read_off_at_the_nearest_logging_epoch(tmp_path):
    (task,) = group(find_runs([write_run(tmp_path / "a")]))
    logs = task.runs[0].logs
    rate = task.arms[0].shown
    assert [ratio_at(rate, share) for share in (0, 0.5, 0.55, 1)] == [logs[i]["ratio"] for i in (0, 4, 4, 8)]


def test_values_at_the_fifths_of_training(tmp_path):
    for seed, speed in ((1, 2.0), (2, 2.5)):
        write_run(tmp_path / f"a{seed}", seed=seed, speed=speed)
        write_run(tmp_path / f"b{seed}", optimizer="sgd", lr=0.1, seed=seed, speed=1.0)
    (task,) = group(find_runs([tmp_path]))
    loss, accuracy = milestones(task)
    assert loss.steps == [126, 189, 315, 378, 504]  # of 504 steps, with a logging epoch every 63
    logs = [{log["step"]: log for log in run.logs} for run in task.arms[0].shown.runs]
    for step, cell in zip(loss.steps, loss.lines[0].cells, strict=True):
        assert cell.mean == statistics.fmean(table[step]["train_loss"] for table in logs)
    assert [loss.is_best(line, 4) for line in loss.lines] == [True, False]
    assert [accuracy.is_best(line, 4) for line in accuracy.lines] == [True, False]


def test_table_b1_stands_beside_runs_of_its_networks(tmp_path):
    for optimizer in ("lion", "sgd"):
        write_run(tmp_path / optimizer, {**TEXT, "title": "OpenWebText"}, optimizer=optimizer)
    runs = find_runs([tmp_path])
    for run in runs:
        run.manifest["recipe"]["model"] = {"name": "gpt2", "width": 1024, "layers": 24}
        run.manifest["recipe"]["task"] = {"perplexity": {"data": "datasets:Salesforce/wikitext:wikitext-103-raw-v1"}}
        for place, log in enumerate(run.logs):
            log["step"] = 10_000 * place
            log["perplexity"] = math.exp(3 + 0.1 * place)
    (task,) = group(runs)
    assert charts(task)[-1].key == "perplexity"
    found = milestones(task)[-1]
    assert (found.key, found.steps[0], found.steps[-1]) == ("perplexity", 20_000, 80_000)
    lion, _, theirs, sgd = found.lines
    assert lion.cells[0].mean == pytest.approx(3.2)
    assert theirs.title == "Lion, GPT-2 Medium, table B.1 of the paper"
    assert [cell.mean if cell else None for cell in theirs.cells] == [3.004, 2.918, 2.876, None, None]
    assert sgd.cells[0].mean == 7.807
    assert not any(found.is_best(theirs, place) for place in range(5))
    for run in runs:
        run.manifest["task"]["title"] = "State of the Union"
    assert [line.arm for line in milestones(task)[-1].lines] == ["lion", "sgd"]
    for run in runs:
        run.manifest["task"]["title"] = "OpenWebText"
        run.manifest["recipe"]["task"]["perplexity"]["data"] = "moby-dick.txt"
    assert [line.arm for line in milestones(task)[-1].lines] == ["lion", "sgd"]


def test_the_papers_table_is_the_one_that_it_prints():
    """Its bold numbers, Lion's, are below SGD's last from the first column on, and every line falls."""
    for lines in paper.LOG_PERPLEXITY.values():
        assert max(lines["lion"].values()) < min(lines["sgd"].values())
        for line in lines.values():
            values = [line[step] for step in range(10_000, 50_001, 10_000)]
            assert values == sorted(values, reverse=True)


def test_the_paper_figure_of_the_same_question(tmp_path):
    (run,) = find_runs([write_run(tmp_path / "a", {**IMAGES, "title": "CIFAR-10 (images)"})])
    run.manifest["recipe"]["model"] = {"name": "resnet"}
    assert paper.figure_of(run.manifest) == "fig. B.4"
    run.manifest["recipe"]["model"] = {"name": "mlp"}
    assert paper.figure_of(run.manifest) is None


def test_a_report_of_one_run_has_the_tables_that_it_can(tmp_path):
    keys = [sheet.key for sheet in sheets(group(find_runs([write_run(tmp_path / "a")])))]
    assert keys == ["comparison", "training", "norm-ratio"]
