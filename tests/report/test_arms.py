"""Arms, seeds and tasks: which runs are compared with which, and under what names."""

import dataclasses
import statistics

import pytest
from fake_runs import IMAGES, TEXT, write_run

from lionkit_lab.record import find_runs
from lionkit_lab.report._captions import caption
from lionkit_lab.report._charts import kkt_residual, lr_sweep, training_loss
from lionkit_lab.report._headline import headline, margin_sentence
from lionkit_lab.report._series import by_rate
from lionkit_lab.report._tasks import group
from lionkit_lab.report._words import decay_words
from lionkit_lab.report.style import arms_of, styles
from lionkit_lab.report.table import COLUMNS, is_best, summarise

KKT = next(column for column in COLUMNS if column.key == "kkt")


@pytest.fixture
def four_arms(tmp_path):
    """Runs of one task: Lion, AdamW, and SGD with and without decay, at two learning rates each."""
    for place, lr in enumerate((0.01, 0.03)):
        write_run(tmp_path / f"lion{lr}", optimizer="lion", lr=lr, speed=3.0 + place)
        write_run(tmp_path / f"adamw{lr}", optimizer="adamw", lr=lr, speed=1.0)
        write_run(tmp_path / f"sgd-a{lr}", optimizer="sgd", lr=lr, speed=0.2 + place)
        write_run(tmp_path / f"sgd-b{lr}", optimizer="sgd", lr=lr, speed=2.0 + place, weight_decay=0.0)
    return find_runs([tmp_path])


def test_two_decays_of_one_optimizer_are_two_arms(four_arms):
    rows = summarise(four_arms)
    assert [row.title for row in rows] == ["Lion", "AdamW", "SGD, decay 0", "SGD, decay 0.1"]
    assert all(row.lrs == (0.01, 0.03) for row in rows)
    assert rows[2].train_loss < rows[3].train_loss
    lines = [series for series in lr_sweep(group(four_arms)[0]).series if series.kind == "line"]
    assert [series.x for series in lines] == [(0.01, 0.03)] * 4  # rising: no line goes to and fro


def test_an_arm_is_named_by_exactly_what_tells_it_apart(tmp_path):
    write_run(tmp_path / "a", betas=[0.9, 0.99])
    write_run(tmp_path / "b", betas=[0.95, 0.98])
    write_run(tmp_path / "c", optimizer="sgd", momentum=0.9)
    rows = summarise(find_runs([tmp_path]))
    assert [row.title for row in rows] == ["Lion, betas (0.9, 0.99)", "Lion, betas (0.95, 0.98)", "SGD"]


def test_the_arms_of_an_optimizer_differ_in_line_and_marker(four_arms):
    looks = list(styles(arms_of(group(four_arms))).values())
    assert [look.title for look in looks] == ["Lion", "AdamW", "SGD, decay 0", "SGD, decay 0.1"]
    assert looks[2].dash != looks[3].dash
    assert len({look.marker for look in looks}) == 4
    assert len({look.light for look in looks}) == 4


def test_the_runner_up_is_the_best_arm_of_another_optimizer(four_arms):
    rows = summarise(four_arms)
    assert headline(rows) == "Lion reaches the lowest training loss on Fashion-MNIST (4,000 images)."
    assert "(SGD, decay 0)" in margin_sentence(rows)
    best, other = dataclasses.replace(rows[0], train_loss=0.1), dataclasses.replace(rows[0], train_loss=0.2)
    assert "(SGD, decay 0)" in margin_sentence([best, other, *rows[1:]])  # not Lion's own second arm


def test_the_headline_names_the_optimizer_whose_best_arm_wins(four_arms):
    rows = summarise(four_arms)
    rows[2] = dataclasses.replace(rows[2], train_loss=0.01)
    assert headline(rows).endswith("on none of 1 task; SGD is lowest on Fashion-MNIST (4,000 images).")


@pytest.fixture
def seeds(tmp_path):
    """Lion at two rates and three seeds: the lower rate has the best single run, the higher the best mean."""
    speeds = {1e-4: (9.0, 0.5, 0.5), 1e-3: (2.0, 2.1, 2.2)}
    for lr, of_seeds in speeds.items():
        for seed, speed in zip((7, 3, 5), of_seeds, strict=True):
            write_run(tmp_path / f"{lr}-{seed}", lr=lr, speed=speed, seed=seed)
    return find_runs([tmp_path])


def test_the_mean_over_the_seeds_chooses_and_is_shown(seeds):
    (row,) = summarise(seeds)
    losses = [run.logs[-1]["train_loss"] for run in seeds if run.lr == 1e-3]
    assert (row.best_lr, row.num_seeds, row.tried) == (1e-3, 3, "6 of 6, n = 3")
    assert row.train_loss == pytest.approx(sum(losses) / 3)


def test_the_mean_is_drawn_with_a_band_from_the_least_to_the_largest_seed(seeds):
    (task,) = group(seeds)
    _, line = [series for series in training_loss(task).series if series.kind == "line"]
    losses = [[log["train_loss"] for log in run.logs] for run in seeds if run.lr == 1e-3]
    assert line.label == "Lion, lr 0.001, mean and range of 3 seeds"
    assert line.x == tuple(float(epoch) for epoch in range(9))  # the recipe counts epochs
    for found, over in ((line.low, min), (line.high, max), (line.y, statistics.fmean)):
        assert found == pytest.approx([over(values) for values in zip(*losses, strict=True)])
    assert "band" in caption("training-loss", task)
    assert by_rate(task.arms[0]).high[1] == pytest.approx(max(values[-1] for values in losses))


def test_a_band_ends_where_a_seed_does(tmp_path):
    write_run(tmp_path / "a", seed=4, speed=2.0)
    write_run(tmp_path / "b", seed=6, speed=None)
    (line,) = [one for one in training_loss(group(find_runs([tmp_path]))[0]).series if one.kind == "line"]
    known = [place for place, value in enumerate(line.y) if value is not None]
    assert known == [0, 1]  # the other seed diverged between the second and the third logging epoch
    assert [place for place, value in enumerate(line.low) if value is not None] == known
    assert (line.status, len(line.x)) == ("diverged", 9)


def test_a_lone_seed_has_no_band(four_arms):
    assert all(series.low == () for series in training_loss(group(four_arms)[0]).series)


def test_a_rate_at_which_one_seed_diverged_is_not_chosen(tmp_path):
    write_run(tmp_path / "a", lr=1e-3, seed=0, speed=9.0)
    write_run(tmp_path / "b", lr=1e-3, seed=1, speed=None)
    write_run(tmp_path / "c", lr=1e-4, seed=0, speed=1.0)
    (row,) = summarise(find_runs([tmp_path]))
    assert (row.best_lr, row.tried, row.diverged) == (1e-4, "2 of 3", 1)


def test_recipes_that_differ_are_two_tasks_with_two_titles(tmp_path):
    for name, epochs in (("a", 4), ("b", 8)):
        manifest = write_run(tmp_path / name) / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"epochs": 8', f'"epochs": {epochs}'))
    tasks = group(find_runs([tmp_path]))
    assert [task.title for task in tasks] == [f"{IMAGES['title']}, epochs {epochs}" for epochs in (4, 8)]


def test_other_data_are_another_task(tmp_path):
    write_run(tmp_path / "a")
    manifest = write_run(tmp_path / "b") / "manifest.json"
    manifest.write_text(manifest.read_text().replace("17af8b02", "ffffffff"))
    assert len({task.title for task in group(find_runs([tmp_path]))}) == 2


@pytest.mark.parametrize(
    ("task", "best"), [(IMAGES, [False] * 4), ({**IMAGES, "residual_weight_decay": 0.1}, [True, False, False, False])]
)
def test_s_is_compared_only_at_one_decay(four_arms, task, best):
    for run in four_arms:
        run.manifest["task"] = task
    rows = [dataclasses.replace(row, kkt_residual=1.0 + place) for place, row in enumerate(summarise(four_arms))]
    assert [is_best(row, KKT, rows) for row in rows] == best
    assert not is_best(rows[0], KKT, [dataclasses.replace(row, in_box=False) for row in rows])


def test_the_decay_of_s_is_named(four_arms):
    (task,) = group(four_arms)
    assert decay_words([task]) == "\u03bb = 0.1 for Lion, AdamW and SGD, decay 0.1; 0 for SGD, decay 0"
    for run in four_arms:
        run.manifest["task"] = {**run.task, "residual_weight_decay": 0.1}
    assert "with \u03bb = 0.1 for every optimizer" in caption("kkt-residual", group(four_arms)[0])


def test_an_estimate_is_called_one(tmp_path):
    run = find_runs([write_run(tmp_path / "a", TEXT)])
    part = "192 of 16,738 windows of 64 characters"
    (task,) = group(run)
    charts = (training_loss(task), kkt_residual(task), lr_sweep(task))
    assert all(part in chart.quantity for chart in charts)
    assert summarise(run)[0].estimate == part
