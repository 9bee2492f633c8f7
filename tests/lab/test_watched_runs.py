"""What a run does about an early warning, from its first step to its last; and again after a kill."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from lionkit_lab import checkpoint, optimizers
from lionkit_lab.errors import DivergenceError, StoppedError
from lionkit_lab.recipe import Recipe, load
from lionkit_lab.record import read_run
from lionkit_lab.train import train

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
ABSURD = ["optimizer={name='sgd', lr=1e9, momentum=0.3, weight_decay=0.01}", "training.clip=1e9"]


class Notes:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def begin(self, done: int, total: int) -> None:
        pass

    def step(self, done: int, loss: float) -> None:
        pass

    def note(self, message: str) -> None:
        self.lines.append(message)


def records(folder: Path) -> bytes:
    return (folder / "records.jsonl").read_bytes()


def weights(folder: Path) -> dict[str, torch.Tensor]:
    saved = checkpoint.load(folder)
    assert saved is not None
    return saved.weights()


def long_run(tiny: Path, *overrides: str) -> Recipe:
    """A run of 150 steps, long enough for every window, with every watcher on."""
    on = [f"watch.{name}.action=warn" for name in ("loss_spike", "gradient_spike")]
    length = ["training.steps=150", "training.checkpoint_every=20", "logging.every=25", "logging.statistics_every=10"]
    return load(tiny, [*length, *on, *overrides])


def test_a_healthy_run_is_not_warned_of(tiny: Path, tmp_path: Path) -> None:
    notes = Notes()
    train(long_run(tiny), tmp_path / "run", notes)
    run = read_run(tmp_path / "run")
    assert (run.status, len(run.steps), run.warnings, notes.lines) == ("finished", 150, [], [])
    assert run.logs[-1]["train_loss"] < 0.8 * run.logs[0]["train_loss"]


def test_watching_changes_nothing_but_the_warnings(tiny: Path, tmp_path: Path) -> None:
    hot = "optimizer={name='lion', lr=0.3, betas=[0.8, 0.95], weight_decay=0.1}"
    off = [f"watch.{name}.action=off" for name in ("loss", "train_loss", "kkt_residual", "loss_spike")]
    train(long_run(tiny, hot), tmp_path / "watched", told := Notes())
    train(long_run(tiny, hot, *off, "watch.gradient_spike.action=off"), tmp_path / "alone", silent := Notes())
    watched, alone = (read_run(tmp_path / name) for name in ("watched", "alone"))
    assert watched.warnings
    assert not alone.warnings
    assert (watched.logs, watched.steps) == (alone.logs, alone.steps)
    assert told.lines == [f"warning: {tmp_path / 'watched'}: {warning['text']}" for warning in watched.warnings]
    assert not silent.lines


def test_a_loss_that_is_no_number_stops_a_run_by_default(tiny: Path, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(
            DivergenceError, match=r"^loss is nan at step \d+ \(lr 1e\+09\): the run diverged; what was"
        ):
            train(load(tiny, ABSURD), tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert (run.status, run.warnings) == ("diverged", [])


def test_a_run_that_no_skipped_step_can_save(tiny: Path, tmp_path: Path) -> None:
    settings = ["training.steps=30", "logging.every=30", "watch.non_finite.action=skip", "watch.skips=4"]
    recipe = load(tiny, [*ABSURD, *settings])
    with pytest.raises(DivergenceError, match=r"4 steps in a row were skipped .*: the run diverged"):
        train(recipe, tmp_path / "run", notes := Notes())
    run = read_run(tmp_path / "run")
    (first, *_) = skipped = [warning["step"] for warning in run.warnings]
    assert skipped == list(range(first, first + 4))
    assert [step["step"] for step in run.steps if step.get("skipped")] == skipped
    assert len(notes.lines) == 1
    assert run.end is not None
    assert run.end["step"] == first + 3, "none of them was taken"


def test_skipped_steps_leave_the_weights_alone(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps whose gradient is not finite: the run goes on as one whose optimizer was not called for them."""
    from lionkit_lab.state import TrainingState

    bad = {4, 5}
    losses = TrainingState._loss

    def poisoned(self: TrainingState, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        loss = losses(self, batch)
        # The loss stays finite, its gradient is infinite.
        return loss + 0 * torch.sqrt(0 * loss) if self.step + 1 in bad else loss

    monkeypatch.setattr(TrainingState, "_loss", poisoned)
    train(load(tiny, ["watch.non_finite.action=skip"]), tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert [(it["step"], it["name"], it["action"]) for it in run.warnings] == [(s, "non_finite", "skip") for s in bad]
    assert run.warnings[0]["text"] == "l2 norm of the gradient is nan at step 4"
    assert run.status == "finished"

    step = torch.optim.Optimizer.step
    monkeypatch.setattr(TrainingState, "_loss", losses)
    by_hand = _without_steps(load(tiny), bad)
    found = weights(tmp_path / "run")
    assert not [name for name, value in by_hand.items() if not torch.equal(value, found[name])]
    assert step is torch.optim.Optimizer.step


def _without_steps(recipe: Recipe, dropped: set[int]) -> dict[str, torch.Tensor]:
    """Train by hand, without the optimizer at some steps."""
    from lionkit_lab import tasks
    from lionkit_lab.state import TrainingState

    task = tasks.build(recipe)
    state = TrainingState(recipe, task)
    while state.step < state.total:
        if state.step + 1 in dropped:
            task.loss(state.model, task.batch(state.step)).item()  # dropout draws its numbers
            state.skip()
        else:
            state.update()
    return state.model.state_dict()


@pytest.mark.parametrize("name", ["lion_vr", "lion_igt", "adamw"])
def test_a_batch_that_is_no_number_is_skipped(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from lionkit_lab.state import TrainingState

    losses = TrainingState._loss

    def poisoned(self: TrainingState, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        loss = losses(self, batch)
        return loss * math.inf if self.step + 1 in (1, 6) else loss

    monkeypatch.setattr(TrainingState, "_loss", poisoned)
    optimizer = f"optimizer={{name='{name}', lr=1e-3, weight_decay=0.3}}"
    train(load(tiny, [optimizer, "watch.non_finite.action=skip"]), tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert [(it["step"], it["text"]) for it in run.warnings] == [(s, f"loss is inf at step {s}") for s in (1, 6)]
    assert (run.status, len(run.steps)) == ("finished", 12)
    assert math.isfinite(run.logs[-1]["train_loss"])


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_spike_is_skipped(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str) -> None:
    from lionkit_lab.state import TrainingState

    losses = TrainingState._loss

    def spiked(self: TrainingState, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        loss = losses(self, batch)
        return loss * 100 if self.step + 1 == 30 else loss

    monkeypatch.setattr(TrainingState, "_loss", spiked)
    settings = ["watch.loss_spike.action=skip", "watch.loss_spike.window=20", f"engine.precision={precision}"]
    train(load(tiny, ["training.steps=40", *settings]), tmp_path / "run", notes := Notes())
    run = read_run(tmp_path / "run")
    assert [(it["step"], it["name"]) for it in run.warnings] == [(30, "loss_spike")]
    assert [step["step"] for step in run.steps if step.get("skipped")] == [30]
    assert (run.status, len(run.steps), len(notes.lines)) == ("finished", 40, 1)


def test_a_stopped_run_keeps_all_and_stays_stopped(tiny: Path, tmp_path: Path) -> None:
    hot = "optimizer={name='lion', lr=1.0, betas=[0.8, 0.95], weight_decay=0.1}"
    recipe = load(tiny, ["training.steps=60", hot, "watch.train_loss.action=stop"])
    messages = []
    for _ in range(2):
        with pytest.raises(StoppedError) as caught:
            train(recipe, tmp_path / "run")
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert ": the run was stopped; what was recorded before is kept in" in messages[0]
    run = read_run(tmp_path / "run")
    assert run.status == "stopped"
    assert run.end is not None
    assert run.end["reason"] == run.warnings[-1]["text"]
    assert run.warnings[-1]["action"] == "stop"


def test_the_command_ends_with_one_line_and_code_1(tiny: Path, tmp_path: Path) -> None:
    hot = ["optimizer={name='lion', lr=1.0}", "watch.train_loss.action=stop", "training.steps=60"]
    settings = [part for it in hot for part in ("--set", it)]
    command = [sys.executable, "-m", "lionkit_lab", "train", str(tiny), "--out", str(tmp_path / "run"), *settings]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: train loss rises: ")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)


def rolling_back(tiny: Path, *more: str) -> Recipe:
    """A run whose learning rate is absurd until it has been cut twice."""
    settings = ["watch.non_finite.action=rollback", "watch.lr_factor=1e-5", "watch.rollbacks=2"]
    return load(tiny, [*ABSURD, *settings, "schedule.warmup_steps=0", "training.steps=20", *more])


def test_a_run_that_goes_back_until_its_learning_rate_fits(tiny: Path, tmp_path: Path) -> None:
    train(rolling_back(tiny), tmp_path / "run", notes := Notes())
    run = read_run(tmp_path / "run")
    assert run.status == "finished"
    assert [it["action"] for it in run.warnings] == ["rollback"] * 2
    assert [step["step"] for step in run.steps] == list(range(1, 21)), "what was undone is not read"
    back = [record for record in run.others if record["kind"] == "rollback"]
    assert [record["rollbacks"] for record in back] == [1, 2]
    assert all(record["left"] >= record["step"] for record in back)
    assert len(notes.lines) == 4
    for step in run.steps[back[-1]["step"] :]:
        whole = schedule_of(load(tiny, [*ABSURD, "schedule.warmup_steps=0", "training.steps=20"]), step["step"])
        assert step["lr"] == pytest.approx(1e-10 * whole, rel=1e-12)


def schedule_of(recipe: Recipe, step: int) -> float:
    """Return the learning rate of a step of a run that never went back."""
    optimizer = optimizers.optimizer(recipe.optimizer, torch.nn.Linear(1, 1))
    schedule = optimizers.schedule(recipe.schedule, optimizer, recipe.training.steps or 0)
    for _ in range(step - 1):
        optimizer.step()
        schedule.step()
    return optimizer.param_groups[0]["lr"]


@pytest.mark.parametrize("schedule", ["{name='cosine', warmup_steps=7}", "{name='cosine'}", "{name='constant'}"])
@pytest.mark.parametrize("at", [3, 7, 9])
def test_a_cut_learning_rate_keeps_the_shape_of_its_schedule(tiny: Path, schedule: str, at: int) -> None:
    recipe = load(tiny, [f"schedule={schedule}", "training.steps=20"])
    optimizer = optimizers.optimizer(recipe.optimizer, torch.nn.Linear(1, 1))
    built = optimizers.schedule(recipe.schedule, optimizer, 20)
    for step in range(20):
        if step == at:
            optimizers.scale_lr(built, 0.125)
        factor = 0.125 if step >= at else 1.0
        assert optimizer.param_groups[0]["lr"] == pytest.approx(factor * schedule_of(recipe, step + 1), rel=1e-12)
        optimizer.step()
        built.step()


def test_a_rollback_too_many_ends_the_run(tiny: Path, tmp_path: Path) -> None:
    recipe = rolling_back(tiny, "watch.lr_factor=0.9")
    for _ in range(2):
        with pytest.raises(DivergenceError, match=r"2 rollbacks have not helped .*: the run diverged"):
            train(recipe, tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert (run.status, len(run.warnings)) == ("diverged", 2)


def test_a_run_that_goes_back_is_killed_and_resumed_to_the_same_bits(tiny: Path, tmp_path: Path) -> None:
    script = Path(__file__).with_name("killed_lives.py")
    recipe = tmp_path / "recipe.toml"
    settings = 'lr_factor = 1e-5\nrollbacks = 2\nnon_finite = {action = "rollback"}\n'
    text = (
        tiny.read_text().partition("[[compare]]")[0].replace("step_every = 1", f"step_every = 1\n[watch]\n{settings}")
    )
    absurd = 'name = "sgd"\nlr = 1e9\nmomentum = 0.3\nweight_decay = 0.01\n'
    before, rest = text.split("[optimizer]\n")
    text = f"{before}[optimizer]\n{absurd}{rest[rest.index('[schedule]') :]}".replace("clip = 1.0", "clip = 1e9")
    recipe.write_text(text)
    command = [sys.executable, str(script), str(recipe), str(tmp_path / "lives"), "2", "13"]
    (tmp_path / "lives").mkdir()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    whole = tmp_path / "lives" / "whole"
    assert len(read_run(whole).warnings) == 2
    lives = [folder for folder in (tmp_path / "lives").iterdir() if folder.name.isdigit()]
    assert len(lives) > 5
    for folder in lives:
        assert records(folder) == records(whole)
        found = weights(folder)
        assert not [name for name, value in weights(whole).items() if not torch.equal(value, found[name])]


def test_a_warned_run_that_is_killed_warns_again_of_nothing(tiny: Path, tmp_path: Path) -> None:
    """The state of every watcher is part of the checkpoint."""
    hot = "optimizer={name='lion', lr=0.3, betas=[0.8, 0.95], weight_decay=0.1}"
    recipe = long_run(tiny, hot)
    train(recipe, tmp_path / "whole")
    toml = tmp_path / "hot.toml"
    toml.write_text(tiny.read_text())
    overrides = ["training.steps=150", "training.checkpoint_every=20", "logging.every=25"]
    overrides += ["logging.statistics_every=10", hot]
    overrides += [f"watch.{name}.action=warn" for name in ("loss_spike", "gradient_spike")]
    settings = [part for it in overrides for part in ("--set", it)]
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "lionkit_lab", "train", str(toml), "--out", str(folder), *settings]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
    while not (folder / "records.jsonl").exists() or records(folder).count(b"\n") < 95:
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    train(recipe, folder, notes := Notes())
    assert "resumed at step" in notes.lines[0]
    assert records(folder) == records(tmp_path / "whole")
    assert len(read_run(folder).warnings) > 0


@pytest.mark.parametrize("sharding", ["none", pytest.param("fsdp2", marks=pytest.mark.slow)])
def test_two_processes_go_back_together(tiny: Path, tmp_path: Path, sharding: str) -> None:
    absurd = ["optimizer={name='sgd', lr=1e9, momentum=0.3}", "training.clip=1e9", "schedule.warmup_steps=0"]
    watched = ["watch.non_finite.action=rollback", "watch.lr_factor=1e-5", "engine.precision=float64"]
    settings = [part for it in (*absurd, *watched, f"engine.sharding={sharding}") for part in ("--set", it)]
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "lionkit_lab", "train"]
    command = [*launch, str(tiny), "--out", str(tmp_path / "run"), *settings]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT, timeout=120)
    assert done.returncode == 0, done.stderr
    run = read_run(tmp_path / "run")
    assert run.status == "finished"
    assert [it["action"] for it in run.warnings if it["name"] == "non_finite"] == ["rollback"] * 2
    assert [step["step"] for step in run.steps] == list(range(1, 13))
    assert run.steps[-1]["lr"] < 1
