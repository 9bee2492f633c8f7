"""Arms over the seeds: which values are compared, paired and written, and what they say to the paper."""

import csv
import io
import json
import statistics

import pytest
import scipy.stats
from fake_runs import IMAGES, write_run

from lionkit_lab import report
from lionkit_lab.record import find_runs
from lionkit_lab.report._tasks import group
from lionkit_lab.report._verdict_sheet import verdict, verdict_sheet
from lionkit_lab.report.comparison import compare
from lionkit_lab.report.tables import save, sheets

LION = {3: 2.0, 5: 2.2, 8: 2.5}
SGD = {5: 0.9, 8: 1.3, 3: 0.7, 9: 1.0}  # one seed more, in another order


@pytest.fixture
def seeded(tmp_path):
    """Lion with three seeds, SGD with four; each also at a rate where it is worse."""
    for optimizer, rates, speeds in (("lion", (1e-3, 3e-3), LION), ("sgd", (0.03, 0.1), SGD)):
        for lr, factor in zip(rates, (1.0, 0.3), strict=True):
            for seed, speed in speeds.items():
                folder = tmp_path / "runs" / f"{optimizer}{lr}-{seed}"
                write_run(folder, optimizer=optimizer, lr=lr, speed=factor * speed, seed=seed)
    return find_runs([tmp_path])


def last(runs, optimizer, lr, key):
    return {run.seed: run.logs[-1][key] for run in runs if (run.optimizer, run.lr) == (optimizer, lr)}


@pytest.mark.parametrize(("quantity", "key"), [("loss", "train_loss"), ("metric", "test_accuracy")])
def test_mean_interval_and_paired_test_are_scipys(seeded, quantity, key):
    lion, sgd = compare(group(seeded))
    own, base = last(seeded, "sgd", 0.03, key), last(seeded, "lion", 1e-3, key)
    found = getattr(sgd, quantity)
    assert found.spread.values == tuple(own[seed] for seed in (3, 5, 8, 9))
    expected = scipy.stats.ttest_rel([own[seed] for seed in (3, 5, 8)], [base[seed] for seed in (3, 5, 8)])
    assert found.test.t == pytest.approx(expected.statistic)
    assert found.test.p == pytest.approx(expected.pvalue)
    ends = expected.confidence_interval(0.95)
    assert (found.difference.interval.low, found.difference.interval.high) == pytest.approx((ends.low, ends.high))
    assert getattr(lion, quantity).difference is None
    assert (sgd.base, sgd.best_lr, sgd.seeds) == ("Lion", 0.03, (3, 5, 8, 9))


def test_a_best_rate_at_an_end_of_what_was_tried_is_told(seeded, tmp_path):
    assert all(one.at_edge for one in compare(group(seeded)))
    for lr, speed in ((0.01, 1.0), (0.02, 3.0), (0.04, 1.0)):
        write_run(tmp_path / "more" / f"{lr}", lr=lr, speed=speed, optimizer="adamw")
    assert not compare(group(find_runs([tmp_path / "more"])))[0].at_edge


def test_without_lion_nothing_is_subtracted(seeded):
    (sgd,) = compare(group(run for run in seeded if run.optimizer == "sgd"))
    assert (sgd.base, sgd.loss.difference, sgd.loss.test) == (None, None, None)


def test_an_arm_that_always_diverged_has_no_numbers(tmp_path):
    write_run(tmp_path / "a", lr=1e-3, seed=3)
    write_run(tmp_path / "b", optimizer="sgd", lr=1.0, speed=None, seed=3)
    runs = find_runs([tmp_path])
    assert [one.loss is None for one in compare(group(runs))] == [False, True]
    (sheet,) = [sheet for sheet in sheets(group(runs)) if sheet.key == "comparison"]
    assert sheet.blocks[0].lines[1].cells == ["SGD", "\u2013", "0", *["\u2013"] * 6]


def test_the_files_hold_the_numbers(seeded, tmp_path):
    paths = {path.name: path.read_text() for path in save(seeded, tmp_path / "tables")}
    assert {name.partition(".")[0] for name in paths} == {"comparison", "lion-against-sgd", "training", "norm-ratio"}
    rows = list(csv.DictReader(io.StringIO(paths["comparison.csv"])))
    assert [(row["optimizer"], row["quantity"]) for row in rows] == [
        (title, key) for title in ("Lion", "SGD") for key in ("train_loss", "test_accuracy")
    ]
    losses = last(seeded, "sgd", 0.03, "train_loss")
    assert [float(value) for value in rows[2]["by_seed"].split()] == [losses[seed] for seed in (3, 5, 8, 9)]
    assert float(rows[2]["sd"]) == pytest.approx(statistics.stdev(losses.values()))
    assert (rows[2]["pairs"], rows[0]["p"]) == ("3", "")
    assert "| **" in paths["comparison.md"]
    assert paths["comparison.md"].count("\n| Lion | 0.001\u2020 | 3 |") == 2  # loss and accuracy


def test_latex_is_escaped_and_its_rows_are_as_wide_as_their_table(tmp_path):
    task = {**IMAGES, "title": "50% of A_B & {C} \\ ^~#$"}
    for seed in (1, 2):
        write_run(tmp_path / f"a{seed}", task, seed=seed)
        write_run(tmp_path / f"b{seed}", task, optimizer="sgd", lr=0.1, seed=seed, speed=1.0 + seed)
    text = {
        path.stem: path.read_text()
        for path in save(find_runs([tmp_path]), tmp_path / "tables")
        if path.suffix == ".tex"
    }
    title = r"50\% of A\_B \& \{C\} \textbackslash{} \textasciicircum{}\textasciitilde{}\#\$"
    assert title in text["comparison"]
    for body in text.values():
        (spec,) = [line for line in body.splitlines() if line.startswith(r"\begin{tabular}")]
        columns = spec.count("l", len(r"\begin{tabular}")) + spec.count("r", len(r"\begin{tabular}"))
        widths = [line.replace(r"\&", "").count("&") + 1 for line in body.splitlines() if line.endswith(r"\\")]
        assert max(widths) == columns
        assert body.count("{") - body.count(r"\{") == body.count("}") - body.count(r"\}")
        assert [body.count(rule) for rule in (r"\toprule", r"\bottomrule", r"\end{table}")] == [1, 1, 1]


def test_the_verdict_follows_the_interval(seeded):
    assert verdict(compare(group(seeded))[1]) == "Lion"
    few = [run for run in seeded if run.seed == 5]
    assert verdict(compare(group(few))[1]) == "Lion, one seed"
    apart = [run for run in seeded if (run.optimizer, run.seed) in (("lion", 3), ("sgd", 9))]
    assert verdict(compare(group(apart))[1]) == "no seed in common"


def test_a_difference_within_its_interval_is_not_told_apart(tmp_path):
    for seed, lion, sgd in ((1, 1.0, 1.2), (2, 1.4, 1.1), (3, 1.0, 1.3)):
        write_run(tmp_path / f"a{seed}", seed=seed, speed=lion)
        write_run(tmp_path / f"b{seed}", optimizer="sgd", lr=0.1, seed=seed, speed=sgd)
    tasks = group(find_runs([tmp_path]))
    sheet = verdict_sheet(tasks, compare(tasks))
    assert sheet.blocks[0].lines[0].cells[-1] == "SGD, not told apart"


def test_the_page_shows_the_comparison_and_the_warnings(seeded, tmp_path, open_report):
    with (seeded[0].folder / "records.jsonl").open("a") as file:
        for step in (12, 40):
            told = {"name": "rising", "action": "skip", "text": f"the loss <rises> to {step}"}
            file.write(json.dumps({"kind": "warning", "step": step, **told}) + "\n")
    page = open_report(report.write(find_runs([tmp_path / "runs"]), tmp_path / "report"))
    assert page.complaints == []
    assert page.locator("#comparison tbody tr").count() == 4
    cells = page.locator("#warnings tbody td").all_inner_texts()
    assert cells[2:] == ["12", "the loss <rises> to 12 (skip) and 1 more until step 40"]
