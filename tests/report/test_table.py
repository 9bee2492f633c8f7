"""Which run stands for an optimizer, and what the report says was found."""

import dataclasses
import io

import pytest
from fake_runs import IMAGES, SPEEDS, TEXT, write_grid, write_run
from rich.console import Console

from lionkit_lab.record import find_runs
from lionkit_lab.report._headline import headline, margin_sentence, ratio_sentence
from lionkit_lab.report._tasks import group
from lionkit_lab.report.arms import Arm
from lionkit_lab.report.format import number, percent, seconds
from lionkit_lab.report.style import styles
from lionkit_lab.report.table import COLUMNS, is_best, render, summarise


@pytest.fixture
def summary(tmp_path):
    """Summarise the runs of a made-up grid."""
    return lambda speeds, tasks=(IMAGES, TEXT): summarise(find_runs([write_grid(tmp_path, speeds, tasks)]))


def test_one_row_for_each_task_and_optimizer_lion_first(runs):
    rows = summarise(reversed(runs))
    assert [row.optimizer for row in rows] == ["lion", "adamw", "sgd"] * 2
    assert len({row.task for row in rows}) == 2


def test_the_lowest_final_loss_among_finished_runs_is_chosen(runs):
    lion, adamw, sgd = summarise(runs)[:3]
    assert (lion.best_lr, adamw.best_lr, sgd.best_lr) == (3e-4, 3e-3, 0.1)
    assert (sgd.lrs, sgd.finished, sgd.diverged) == ((0.03, 0.1, 1.0), 2, 1)
    assert lion.train_loss < adamw.train_loss < sgd.train_loss


def test_an_unfinished_run_is_never_chosen(tmp_path):
    write_run(tmp_path / "slow", lr=1e-4, speed=0.5)
    write_run(tmp_path / "ahead", lr=3e-4, speed=9.0, end=False)
    (row,) = summarise(find_runs([tmp_path]))
    assert (row.best_lr, row.unfinished) == (1e-4, 1)


def test_an_optimizer_without_a_finished_run_has_a_row_without_values(summary):
    row = summary({"sgd": {1.0: None}})[0]
    assert (row.best_lr, row.train_loss, row.metric, row.seconds, row.diverged) == (None, None, None, None, 1)


def test_best_follows_the_direction_of_the_metric(runs):
    rows = summarise(runs)
    metric = next(column for column in COLUMNS if column.key == "metric")
    assert [is_best(row, metric, rows) for row in rows] == [True, False, False] * 2
    assert rows[0].metric == max(row.metric for row in rows[:3])  # accuracy
    assert rows[3].metric == min(row.metric for row in rows[3:])  # loss


def test_nothing_is_best_without_a_rival(summary):
    rows = summary({"lion": {1e-4: 1.0}})
    assert not any(is_best(row, column, rows) for row in rows for column in COLUMNS)


def test_two_models_on_the_same_data_are_two_tasks(tmp_path):
    write_run(tmp_path / "a", IMAGES)
    write_run(tmp_path / "b", {**IMAGES, "model": "ResNet"})
    tasks = group(find_runs([tmp_path]))
    assert [task.slug for task in tasks] == ["fashion-mnist", "fashion-mnist-2"]
    assert len({task.title for task in tasks}) == 2


def test_a_task_name_cannot_leave_the_folder(tmp_path):
    write_run(tmp_path / "a", {**IMAGES, "name": "../../etc/passwd"})
    assert group(find_runs([tmp_path]))[0].slug == "etc-passwd"


def test_the_terminal_table_fits_80_columns_and_keeps_brackets(runs):
    rows = [dataclasses.replace(row, task=row.task + " [red]") for row in summarise(runs)]
    console = Console(width=80, file=io.StringIO())
    console.print(render(rows))
    text = console.file.getvalue()
    assert "[red]" in text
    assert "0.2721" in text
    assert "\u2026" not in text  # nothing is cut off


LION_WINS = {"lion": {1e-4: 3.0}, "sgd": {0.1: 1.0}}
LION_LOSES = {"lion": {1e-4: 1.0}, "sgd": {0.1: 2.0}, "adamw": {1e-3: 3.0}}


@pytest.mark.parametrize(
    ("speeds", "tasks", "sentence"),
    [
        (SPEEDS, (IMAGES, TEXT), "Lion reaches the lowest training loss on 2 of 2 tasks."),
        (LION_WINS, (TEXT,), "Lion reaches the lowest training loss on Moby-Dick, characters."),
        (
            LION_LOSES,
            (TEXT,),
            "Lion reaches the lowest training loss on none of 1 task; AdamW is lowest on Moby-Dick, characters.",
        ),
        (
            {"lion": {1e-4: 2.0}, "sgd": {0.1: 2.0}, "adamw": {1e-3: 1.0}},
            (TEXT,),
            "Lion reaches the lowest training loss on Moby-Dick, characters, tied with SGD.",
        ),
        ({"sgd": {0.1: 2.0}, "adamw": {1e-3: 3.0}}, (TEXT,), "AdamW is lowest on Moby-Dick, characters."),
        ({"sgd": {1.0: None}}, (TEXT,), "No run has finished with a finite training loss yet."),
    ],
)
def test_the_headline_is_truthful(summary, speeds, tasks, sentence):
    assert headline(summary(speeds, tasks)) == sentence


def test_the_headline_counts_a_lost_task(runs):
    rows = summarise(runs)
    rows[0] = dataclasses.replace(rows[0], train_loss=9.0)
    assert headline(rows) == (
        "Lion reaches the lowest training loss on 1 of 2 tasks; AdamW is lowest on Fashion-MNIST (4,000 images)."
    )


def test_the_headline_of_one_run_compares_nothing(summary):
    rows = summary({"lion": {1e-4: 1.0}}, (TEXT,))
    assert headline(rows).startswith("Lion ends at a training loss of ")
    assert "no other optimizer" in headline(rows)


def test_the_margin_sentence_takes_its_numbers_from_the_rows(runs):
    rows = [dataclasses.replace(row, train_loss=1.0 + 0.1 * place) for place, row in enumerate(summarise(runs))]
    first, last = (f"{gap}\u00a0% higher on {row.task} (AdamW)" for gap, row in (("10.0", rows[0]), ("7.7", rows[-1])))
    assert (
        margin_sentence([dataclasses.replace(row, num_seeds=3) for row in rows])
        == f"The runner-up's loss is {first} and {last}."
    )
    assert margin_sentence(rows).endswith("; one seed each, so small gaps may be chance.")
    assert margin_sentence(rows[:1]) == ""


def test_the_ratio_sentence_takes_its_numbers_from_the_rows(runs):
    row = summarise(runs)[0]
    rows = [dataclasses.replace(row, ratio_over_sqrt_dim=share) for share in (0.5, 0.75, None)]
    assert "is 0.50 to 0.75 of" in ratio_sentence(rows)
    assert ratio_sentence(rows[2:]) == ""


def test_every_optimizer_has_its_own_look():
    looks = styles(Arm(name, name, name) for name in [*"abcd", "sgd", "lion", "adamw"])
    assert next(iter(looks)) == "lion"
    assert len({(look.light, look.marker) for look in looks.values()}) == 7


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (number(None), "\u2013"),
        (number(0.40001), "0.4000"),
        (number(351.37), "351.4"),
        (number(123456.0), "123,456"),
        (percent(0.7764), "77.6 %"),
        (seconds(8.44), "8.4 s"),
        (seconds(125), "2 min 05 s"),
        (seconds(3720), "1 h 02 min"),
    ],
)
def test_numbers_as_people_read_them(written, expected):
    assert written == expected
