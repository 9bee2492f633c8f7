"""`lionkit sweep`: what it finds, what it refuses, and how it goes on."""

import csv
import io
import json
import math
import random
import statistics
import threading
import time
from pathlib import Path

import pytest
import scipy.stats
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from typer.testing import CliRunner

from lionkit_lab import sweep
from lionkit_lab.cli import app
from lionkit_lab.errors import RunError
from lionkit_lab.recipe import load
from lionkit_lab.record import claim, find_runs
from lionkit_lab.sweep import _database, _sweep, _worker, table

SEEDS = (3, 4, 5)


def invoke(*arguments: object, code: int = 0):
    result = CliRunner().invoke(app, ["sweep", *(str(argument) for argument in arguments)])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture(scope="module")
def done(swept: Path, tmp_path_factory: pytest.TempPathFactory):
    """A finished sweep: its folder, and what its command said."""
    out = tmp_path_factory.mktemp("sweep") / "out"
    return out, invoke(swept, "--out", out, "--csv", out / "table.csv", "--markdown", out / "table.md")


def losses(out: Path, arm: str, lr: str, key: str = "train_loss") -> list[float]:
    runs = {run.seed: run for run in find_runs([out / "swept" / arm / lr])}
    assert tuple(sorted(runs)) == SEEDS
    return [runs[seed].logs[-1][key] if runs[seed].status == "finished" else math.inf for seed in SEEDS]


def rows(out: Path) -> dict[str, dict[str, str]]:
    return {row["arm"]: row for row in csv.DictReader(io.StringIO((out / "table.csv").read_text()))}


def test_every_arm_has_the_same_number_of_runs_in_folders_of_their_own(done) -> None:
    out, _ = done
    folders = {str(run.folder.relative_to((out / "swept").resolve())) for run in find_runs([out])}
    arms = {"sgd-weight_decay0.1": (0.01, 0.1), "sgd-weight_decay0": (0.1, 1e30), "lion": (0.001, 0.03)}
    assert folders == {f"{arm}/lr{lr:g}/seed{seed}" for arm, lrs in arms.items() for lr in lrs for seed in SEEDS}


@pytest.mark.parametrize(
    ("arm", "tried"),
    [
        ("sgd-weight_decay0.1", ("lr0.01", "lr0.1")),
        ("sgd-weight_decay0", ("lr0.1", "lr1e+30")),
        ("lion", ("lr0.001", "lr0.03")),
    ],
)
def test_the_numbers_are_those_of_the_runs(done, arm: str, tried: tuple[str, ...]) -> None:
    out, _ = done
    row = rows(out)[arm]
    best = min(tried, key=lambda lr: statistics.fmean(losses(out, arm, lr)))
    values = losses(out, arm, best)
    assert f"lr{float(row['best_lr']):g}" == best
    assert [float(value) for value in row["train_loss_by_seed"].split()] == values
    assert float(row["train_loss"]) == pytest.approx(statistics.fmean(values), rel=1e-12)
    assert float(row["train_loss_sd"]) == pytest.approx(statistics.stdev(values), rel=1e-12)
    interval = scipy.stats.t.interval(0.95, 2, statistics.fmean(values), scipy.stats.sem(values))
    assert (float(row["train_loss_low"]), float(row["train_loss_high"])) == pytest.approx(interval, rel=1e-9)
    assert float(row["test"]) == pytest.approx(statistics.fmean(losses(out, arm, best, "test_accuracy")), rel=1e-12)


def test_differences_to_lion_are_paired_by_seed(done) -> None:
    out, _ = done
    found = rows(out)
    lion = losses(out, "lion", f"lr{float(found['lion']['best_lr']):g}")
    assert found["lion"]["minus_lion"] == ""
    for arm in ("sgd-weight_decay0.1", "sgd-weight_decay0"):
        own = losses(out, arm, f"lr{float(found[arm]['best_lr']):g}")
        test = scipy.stats.ttest_rel(own, lion)
        paired = test.confidence_interval(0.95)
        ends = float(found[arm]["minus_lion_low"]), float(found[arm]["minus_lion_high"])
        assert ends == pytest.approx((paired.low, paired.high), rel=1e-9)
        assert float(found[arm]["minus_lion_p"]) == pytest.approx(test.pvalue, rel=1e-9)
        assert float(found[arm]["minus_lion"]) == pytest.approx(sum(own) / 3 - sum(lion) / 3, rel=1e-9)


def test_costs_are_those_of_the_records(done) -> None:
    out, _ = done
    row = rows(out)["lion"]
    runs = find_runs([out / "swept" / "lion" / f"lr{float(row['best_lr']):g}"])
    assert float(row["state_bytes_a_parameter"]) == 4.0
    assert float(row["step_ms"]) == statistics.median(run.step_ms for run in runs if run.step_ms)
    assert float(row["optimizer_ms"]) == statistics.median(run.optimizer_ms for run in runs if run.optimizer_ms)
    assert 0 < float(row["optimizer_ms"]) < float(row["step_ms"])


def test_a_diverged_run_is_a_result(done) -> None:
    out, result = done
    assert rows(out)["sgd-weight_decay0"]["diverged_lrs"] == "1e+30"
    assert rows(out)["sgd-weight_decay0"]["best_lr"] == "0.1"
    assert "| 2, 1 diverged |" in result.stdout


def test_the_table_is_markdown_where_nobody_sits_at_a_terminal(done) -> None:
    out, result = done
    assert result.stdout.startswith("swept (test: test accuracy)\n\n| arm | best lr |")
    assert result.stdout.rstrip().endswith(f"lionkit report {out}")
    assert (out / "table.md").read_text() in result.stdout
    assert "| sgd-weight_decay0 | 0.1 (edge of the grid) |" in result.stdout


def test_what_is_finished_is_not_run_again(done, swept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = done

    def fail(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(_sweep, "train", fail)
    again = json.loads(invoke(swept, "--out", out, "--json").stdout)
    assert [row["arm"] for row in again] == ["sgd-weight_decay0.1", "sgd-weight_decay0", "lion"]
    assert {row["arm"]: str(row["train_loss"]) for row in again} == {
        arm: row["train_loss"] for arm, row in rows(out).items()
    }


def test_runs_outlive_their_database(done, swept: Path, tmp_path: Path) -> None:
    """With another database the runs that stand in their folders count, and are trained no further."""
    out, _ = done
    before = {path: path.read_bytes() for path in out.rglob("records.jsonl")}
    result = invoke(swept, "--out", out, "--json", "--storage", f"sqlite:///{tmp_path / 'other.db'}")
    assert {path: path.read_bytes() for path in out.rglob("records.jsonl")} == before
    assert {row["arm"]: str(row["train_loss"]) for row in json.loads(result.stdout)} == {
        arm: row["train_loss"] for arm, row in rows(out).items()
    }


def test_another_metric_and_fewer_arms(done, swept: Path) -> None:
    out, _ = done
    (row,) = json.loads(invoke(swept, "--out", out, "--only", "lion", "--metric", "test_accuracy", "--json").stdout)
    means = {lr: statistics.fmean(losses(out, "lion", f"lr{lr:g}", "test_accuracy")) for lr in (0.001, 0.03)}
    assert means[row["best_lr"]] == max(means.values()) == row["test"]


def test_one_seed_has_no_interval(swept: Path, tmp_path: Path) -> None:
    output = invoke(swept, "--out", tmp_path, "--seeds", 1, "--set", "training.steps=4").stdout
    lion = next(line for line in output.splitlines() if line.startswith("| lion"))
    assert lion.split(" | ")[3] == "1"
    assert lion.split(" | ")[5:7] == ["\u2013", "\u2013"]


def test_an_arm_that_always_diverges_is_shown(swept: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "bad.toml"
    entries = '[[compare]]\nname = "sgd"\nlrs = [1e30, 2e30]\n[[compare]]\nname = "lion"\nlrs = [1e-3, 1e30]\n'
    recipe.write_text(swept.read_text().partition("[[compare]]")[0] + entries)
    output = invoke(recipe, "--out", tmp_path / "out", "--seeds", 2).stdout
    assert "| sgd | \u2013 | 2, 2 diverged | 2 | diverged | \u2013 |" in output
    assert "| lion | 0.001 (edge of the grid) | 2, 1 diverged |" in output


def test_the_edge_is_where_a_better_one_may_lie_beyond(swept: Path) -> None:
    arm = sweep.Arm(load(swept), "lion", (1e-4, 1e-3, 1e-2))
    assert [sweep.Grid().at_edge(arm, lr) for lr in arm.lrs] == [True, False, True]
    tpe = sweep.TPE(9)
    assert [tpe.at_edge(arm, lr) for lr in (1.2e-4, 1.3e-4, 1e-3, 7.9e-3, 8.1e-3)] == [True, False, False, False, True]


def test_tpe_stays_in_the_range_and_keeps_to_its_budget(swept: Path, tmp_path: Path) -> None:
    arguments = ("--out", tmp_path, "--sampler", "tpe", "--trials", 4, "--seeds", 1, "--set", "training.steps=4")
    found = json.loads(invoke(swept, *arguments, "--only", "lion", "--only", "sgd-weight_decay0.1", "--json").stdout)
    ranges = {"sgd-weight_decay0.1": (0.01, 0.1), "lion": (0.001, 0.03)}
    assert {row["arm"] for row in found} == set(ranges)
    for row in found:
        low, high = ranges[row["arm"]]
        assert len(set(row["lrs"])) == 4
        assert all(low <= lr <= high for lr in row["lrs"])


def test_the_terminal_has_a_table_for_each_recipe(done, swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    out, _ = done
    database = sweep.Database(_database.sqlite(out / "sweep.db"), print)
    goal = sweep.goal_of(load(swept), "train_loss", 3)
    found = sweep.rows_of([sweep.ArmStudy(arm, goal, sweep.Grid(), database) for arm in sweep.arms_of(load(swept))])
    Console(width=200).print(*table.render(found))
    shown = capsys.readouterr().out
    assert shown.startswith("swept (test: test accuracy)")
    assert [line.split()[0] for line in shown.splitlines() if "[" in line] == [row.arm for row in found]


class Away:
    """A listener that moves the folder of the database away when a run ends, and back a while later."""

    def __init__(self, folder: Path, seconds: float | None) -> None:
        self.folder, self.seconds, self.notes, self.gone = folder, seconds, [], False

    def finish(self, result: str) -> None:
        if not self.gone:
            self.gone = True
            hidden = self.folder.rename(self.folder.with_name("hidden"))
            if self.seconds:
                threading.Timer(self.seconds, hidden.rename, [self.folder]).start()

    def note(self, message: str) -> None:
        self.notes.append(message)

    def start(self, label: str) -> None: ...
    def reach(self, finished: int) -> None: ...
    def begin(self, done: int, total: int) -> None: ...
    def step(self, done: int, loss: float) -> None: ...


def sweep_with(swept: Path, tmp_path: Path, listener: Away) -> list[sweep.Row]:
    recipe = load(swept, ["training.steps=4"])
    database = sweep.Database(_database.sqlite(listener.folder / "sweep.db"), listener.note)
    goal = sweep.goal_of(recipe, "train_loss", 1)
    studies = [sweep.ArmStudy(arm, goal, sweep.Grid(), database) for arm in sweep.arms_of(recipe)]
    sweep.run(studies, database, tmp_path / "out", listener)
    return sweep.rows_of(studies)


def test_a_database_that_goes_away_and_comes_back(swept: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(_database, "_RETRY", 0.1)
    (tmp_path / "db").mkdir()
    listener = Away(tmp_path / "db", seconds=1.0)
    assert len(sweep_with(swept, tmp_path, listener)) == 3
    away, back = listener.notes
    assert away.startswith(f"warning: database sqlite:///{tmp_path}/db/sweep.db is away (")
    assert away.endswith("): waiting for it")
    assert back == f"database sqlite:///{tmp_path}/db/sweep.db is back"


@pytest.mark.parametrize("seed", range(4))
def test_a_database_that_goes_away_at_any_call(done, swept: Path, tmp_path: Path, monkeypatch, seed: int) -> None:
    """Each call may fail, before or after it took effect: no run is trained twice, and the table is the same."""
    draws, begun = random.Random(seed), []
    methods = ("get_all_trials", "create_new_trial", "set_trial_param", "set_trial_state_values", "set_trial_user_attr")
    for name in methods:
        monkeypatch.setattr(RDBStorage, name, unreliable(getattr(RDBStorage, name), draws))
    monkeypatch.setattr(_database, "_RETRY", 0.0)
    monkeypatch.setattr(_worker, "GRACE", 0.1)
    monkeypatch.setattr(_sweep, "_POLL", 0.05)
    listener = Away(tmp_path, seconds=0.0)
    listener.gone = True
    listener.start = begun.append
    out, _ = done
    recipe = load(swept)
    database = sweep.Database(_database.sqlite(tmp_path / "sweep.db"), listener.note)
    goal = sweep.goal_of(recipe, "train_loss", 3)
    studies = [sweep.ArmStudy(arm, goal, sweep.Grid(), database) for arm in sweep.arms_of(recipe)]
    sweep.run(studies, database, out, listener)
    found = database.call(lambda: sweep.rows_of(studies))
    assert len(listener.notes) > 10
    assert len(begun) == len(set(begun)) == 3 * 2 * 3
    assert {row.arm: str(row.train_loss.mean) for row in found if row.train_loss} == {
        arm: row["train_loss"] for arm, row in rows(out).items()
    }


def test_a_worker_elsewhere_is_given_up_when_it_falls_silent(swept: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(_worker, "GRACE", 0.3)
    database = sweep.Database(_database.sqlite(tmp_path / "sweep.db"), print)
    (arm,) = sweep.arms_of(load(swept), ["lion"])
    study = sweep.ArmStudy(arm, sweep.goal_of(load(swept), "train_loss", 1), sweep.Grid(), database)
    there, here = _worker.Worker(tmp_path / "there"), _worker.Worker(tmp_path / "here")
    far, near = study.claim(there), study.claim(here)
    assert far is not None
    assert near is not None
    assert {far.params["lr"], near.params["lr"]} == set(arm.lrs)
    far.set_user_attr("worker", "of another machine")
    ended = [sweep.Outcome(3, "diverged", {}, {}, 1, None, None, None)]
    study.finish(near, ended)
    for beat in range(5):  # alive: longer than the grace, and heard all the time
        far.set_user_attr("beat", beat)
        assert study.claim(here) is None
        time.sleep(0.1)
    time.sleep(0.3)
    again = study.claim(here)
    assert again is not None
    assert again.params == far.params
    assert again.number > far.number
    study.finish(far, ended)  # it was only slow: nothing happens
    assert [it.lr for it in study.finished()] == [near.params["lr"]]


def unreliable(method, draws: random.Random):
    def wrapper(*args, **kwargs):
        moment = draws.random()
        if moment < 0.1:
            raise StorageInternalError("away before")
        result = method(*args, **kwargs)
        if moment < 0.2:
            raise StorageInternalError("away after")
        return result

    return wrapper


def test_a_database_that_stays_away(swept: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(_database, "_RETRY", 0.1)
    monkeypatch.setattr(_database, "PATIENCE", 0.5)
    (tmp_path / "db").mkdir()
    with pytest.raises(RunError, match=r"stayed away for 0 s \(.*\); finished runs are kept: the same command goes on"):
        sweep_with(swept, tmp_path, Away(tmp_path / "db", seconds=None))


def test_two_processes_on_one_run_folder(swept: Path, tmp_path: Path) -> None:
    arguments = (swept, "--out", tmp_path, "--seeds", 2, "--only", "lion", "--set", "training.steps=4")
    taken = tmp_path / "swept" / "lion" / "lr0.001" / "seed4"
    with claim(taken):
        error = invoke(*arguments, code=2).stderr.splitlines()[-1]
    in_use = f"output folder {taken} is in use by another process"
    assert error == f"error: {in_use}; finished runs are kept: the same command goes on"
    done = (taken.parent / "seed3" / "records.jsonl").read_bytes()
    assert "| lion |" in invoke(*arguments).stdout
    assert (taken.parent / "seed3" / "records.jsonl").read_bytes() == done


def test_a_folder_with_runs_of_another_recipe(swept: Path, tmp_path: Path) -> None:
    arguments = (swept, "--out", tmp_path, "--seeds", 1, "--only", "lion", "--set")
    invoke(*arguments, "training.steps=4")
    assert 'holds a run of another recipe ("swept")' in invoke(*arguments, "training.steps=5", code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "lino"], '--only "lino" is not in recipe "swept" (did you mean "lion"?); known: sgd, sgd-weight'),
        (["--metric", "test_acuracy"], 'is not measured in "swept" (did you mean "test_accuracy"?); known: train_loss'),
        (["--trials", "3"], "--trials 3 is not allowed with --sampler grid"),
        (["--sampler", "tpe", "--set", "compare=[{name='sgd', lr=0.1}]"], "swept/sgd: lrs = [0.1] is not allowed with"),
        (["--sampler", "tpe", "--set", "compare=[{name='sgd', lrs=[0, 1]}]"], "swept/sgd: lrs = [0, 1] is not allowed"),
        (["--set", "compare=[]"], "needs a [[compare]] list"),
        (
            ["--set", "compare=[{name='sgd', lrs=[0.1, 0.3]}, {name='lion', lr=0.1}]"],
            'recipe "swept": budgets differ: sgd 2, lion 1 learning rates; give every optimizer as many',
        ),
        (["--storage", "sweep.db"], '--storage "sweep.db" is not allowed: must be a URL such as sqlite:///'),
        (["--storage", "sqlite:////no/where/a.db"], "database sqlite:////no/where/a.db cannot be opened: unable"),
        (["--storage", "mysql://me:secret@host/db"], 'database mysql://me:***@host/db: package "MySQLdb" is missing'),
        (["--storage", "oracel://me:secret@host/db"], "database oracel://me:***@host/db cannot be opened: "),
        (["--csv", "/dev/null/table.csv"], "output folder /dev/null cannot be written"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_trained(
    swept: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    error = invoke(swept, "--out", tmp_path / "out", *arguments, code=2).stderr
    assert message in error.splitlines()[-1]
    assert "secret" not in error
    assert not list((tmp_path / "out").rglob("manifest.json"))


def test_a_recipe_stands_once(swept: Path, tmp_path: Path) -> None:
    assert 'recipe "swept" is not allowed 2 times' in invoke(swept, swept, "--out", tmp_path, code=2).stderr
