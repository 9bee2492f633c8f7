"""What a run leaves in its folder besides the records, and what it does without: laps, kept weights, trackers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from accelerate import tracking
from test_resume import Notes, interrupted
from test_watched_runs import rolling_back

from lionkit_lab import checkpoint
from lionkit_lab.engine import Processes
from lionkit_lab.errors import RunError, UsageError
from lionkit_lab.recipe import load
from lionkit_lab.record import read_run
from lionkit_lab.train import train
from lionkit_lab.train._train import see_one_folder
from lionkit_lab.watch import Watch


def laps(folder: Path) -> list[tuple[str, int]]:
    return [(lap["kind"], lap["step"]) for lap in map(json.loads, (folder / "timing.jsonl").read_text().splitlines())]


def test_time_to_load_and_to_keep_is_no_time_to_train(tiny: Path, tmp_path: Path) -> None:
    recipe = load(tiny, ["training.keep=[7, 9]"])
    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "run", Notes(stop_at=8))
    before = len(laps(tmp_path / "run"))
    train(recipe, tmp_path / "run")
    found = laps(tmp_path / "run")[before:]
    assert found[:4] == [("load", 6), ("train", 7), ("keep", 7), ("train", 8)]
    at = found.index(("keep", 9))
    assert found[at - 1 : at + 2] == [("train", 9), ("keep", 9), ("checkpoint", 9)]
    timing = read_run(tmp_path / "run").timing[before:]
    assert [lap["kind"] for lap in timing if lap.get("steps")] == ["train"] * 4
    assert sum(lap.get("steps", 0) for lap in timing) == 6


def test_weights_that_were_undone_do_not_stay(tiny: Path, tmp_path: Path) -> None:
    kept = tmp_path / "run" / "kept"
    seen: list[list[str]] = []

    class Looking(Notes):
        def note(self, message: str) -> None:
            if "back from step" in message:
                seen.append([path.name for path in kept.iterdir()])

    train(rolling_back(tiny, "training.keep=[1, 2, 20]"), tmp_path / "run", Looking())
    back = [record for record in read_run(tmp_path / "run").others if record["kind"] == "rollback"]
    assert all(record["step"] == 0 and record["left"] >= 1 for record in back)
    assert seen == [[], []]
    assert len(list(kept.iterdir())) == 3


def test_forgetting_leaves_what_is_older(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    for step in (3, 6, 7, 12):
        (tmp_path / "kept" / f"step-{step:06d}.safetensors").touch()
    checkpoint.forget(tmp_path, 6)
    assert sorted(path.name[5:11] for path in (tmp_path / "kept").iterdir()) == ["000003", "000006"]


def test_a_step_to_keep_that_never_comes_is_refused(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"training.keep: 13 is not allowed: must be at most the run's 12 steps"):
        train(load(tiny, ["training.keep=[5, 13, 40]"]), tmp_path / "run")


@pytest.mark.parametrize(("change", "found"), [({"format": 2}, 2), ({"folder": None}, 0)])
def test_a_checkpoint_of_another_format_is_called_so(
    tiny: Path, tmp_path: Path, change: dict[str, Any], found: int
) -> None:
    path = interrupted(tiny, tmp_path / "run", 8) / "checkpoint.json"
    pointer = json.loads(path.read_text())
    assert pointer["format"] == 1
    if change.get("folder", "") is None:
        del pointer["folder"], pointer["format"]
    path.write_text(json.dumps(pointer | {key: value for key, value in change.items() if value}))
    with pytest.raises(RunError, match=rf"is of format {found}; this version reads format 1: go on with the version"):
        train(load(tiny), tmp_path / "run")


def test_a_watcher_that_a_checkpoint_does_not_know_starts_anew(tiny: Path) -> None:
    watch = Watch(load(tiny))
    state = watch.state_dict()
    del state["posts"]["loss"]
    Watch(load(tiny)).load_state_dict(state)


class _Tracker(tracking.GeneralTracker):
    """Keeps what it is asked to do, and fails at one of it."""

    name = "fake"
    requires_logging_directory = False
    tracker = None
    fails_at = ""
    done: list[str]

    def __init__(self, _: str) -> None:
        super().__init__()
        self._do("init")

    def _do(self, what: str) -> None:
        self.done.append(what)
        if what == self.fails_at:
            raise ConnectionError("no route to host\nat all")

    def start(self) -> None:
        self._do("start")

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        self._do("settings")

    def log(self, values: dict[str, Any], step: int | None = None, **_: Any) -> None:
        self._do(f"log {step}")

    def finish(self) -> None:
        self._do("finish")


@pytest.mark.parametrize("at", ["init", "start", "settings", "log 3", "finish"])
def test_a_tracker_that_fails_is_left_out(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    well, bad = (type(name, (_Tracker,), {"done": []}) for name in ("Well", "Bad"))
    bad.fails_at = at
    monkeypatch.setitem(tracking.LOGGER_TYPE_TO_CLASS, "well", well)
    monkeypatch.setitem(tracking.LOGGER_TYPE_TO_CLASS, "bad", bad)
    monkeypatch.setattr(tracking, "_available_trackers", ["well", "bad"])
    recipe = load(tiny, ["tracking.trackers=['well', 'bad']"])
    train(recipe, tmp_path / "run", notes := Notes())
    assert bad.done[-1] == at
    why = 'tracker "bad" failed and hears no more: ConnectionError: no route to host'
    assert notes.lines == [f"warning: {tmp_path / 'run'}: {why}"]
    assert [it for it in well.done if it == "log 12"]
    assert well.done[-1] == "finish"
    assert read_run(tmp_path / "run").status == "finished"
    count = len(well.done)
    train(recipe, tmp_path / "run")
    assert len(well.done) == count  # a run that is over starts none


class Two(Processes):
    """The first of two processes, of which the other looks after ``loses`` was called."""

    def __init__(self, loses: Callable[[], Any]) -> None:
        super().__init__()
        self.count, self._loses = 2, loses

    def on_first(self, work: Callable[[], Any]) -> Any:
        found = work()
        self._loses()
        return found

    def together(self, work: Callable[[], Any]) -> Any:
        return work()


def test_a_folder_that_machines_do_not_share_is_refused(tmp_path: Path) -> None:
    see_one_folder(tmp_path, Two(lambda: None))
    with pytest.raises(UsageError, match=r"process 0 of 2 does not find .*; it must be one that all machines share"):
        see_one_folder(tmp_path, Two(lambda: [path.unlink() for path in tmp_path.iterdir()]))
    assert not list(tmp_path.iterdir())
