"""Training: what is recorded, what is refused, and how a run diverges."""

import json
import math
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import pytest
import torch
from idx_files import write_images

from lionkit import probes
from lionkit_lab import optimizers, tasks
from lionkit_lab.engine import Engine
from lionkit_lab.errors import DivergenceError, UsageError
from lionkit_lab.recipe import load
from lionkit_lab.record import read_run
from lionkit_lab.state import TrainingState
from lionkit_lab.train import train
from lionkit_lab.train._measure import Measurement

TEXT = [
    "task={name='characters', context=8}",
    "model={name='gpt2', width=16, layers=1, heads=2}",
    "logging.batches=2",
]


def test_records_of_a_run(tiny: Path, tmp_path: Path) -> None:
    train(load(tiny), tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert [log["step"] for log in run.logs] == [0, 4, 8, 12]
    assert [step["step"] for step in run.steps] == list(range(1, 13))
    assert run.logs[1]["epoch"] == 4 / 400
    assert run.logs[0]["num_samples"] == 40
    assert run.logs[0]["dim"] == run.task["num_parameters"]
    assert 0 <= run.logs[-1]["test_accuracy"] <= 1
    assert run.status == "finished"
    assert run.seconds > 0


def test_the_first_logging_epoch_is_the_full_gradient_of_the_first_weights(tiny: Path, tmp_path: Path) -> None:
    recipe = load(tiny)
    train(recipe, tmp_path / "run")
    task = tasks.build(recipe)
    model = TrainingState(recipe, task).model
    images, labels = task.train.batch(torch.arange(40) * 100)
    full = probes.full_gradient(model, task.loss, [(images, labels)], weight_decay=0.3)
    log = read_run(tmp_path / "run").logs[0]
    assert math.isclose(log["train_loss"], full.loss, rel_tol=1e-5)
    assert math.isclose(log["l1"], full.total.l1, rel_tol=1e-4)
    assert math.isclose(log["kkt_residual"], full.total.kkt_residual, rel_tol=1e-4)


def test_the_residual_is_measured_at_the_decay_of_the_recipe(tiny: Path, tmp_path: Path) -> None:
    first = {}
    for decay, overrides in ((0.3, []), (0.7, ["logging.weight_decay=0.7"])):
        train(load(tiny, ["training.steps=4", *overrides]), tmp_path / str(decay))
        run = read_run(tmp_path / str(decay))
        assert run.task["residual_weight_decay"] == decay
        first[decay] = run.logs[0]
    (inner, other) = ((log["kkt_residual"] - log["l1"]) / decay for decay, log in first.items())
    assert first[0.3]["l1"] == first[0.7]["l1"]
    assert inner == pytest.approx(other, rel=1e-3)
    assert abs(inner) > 1e-3 * first[0.3]["l1"]


@pytest.mark.parametrize("overrides", [TEXT, ["model={name='resnet', widths=[4, 8], stem_stride=2}"]])
def test_other_tasks_and_models_train(tiny: Path, tmp_path: Path, overrides: list[str]) -> None:
    train(load(tiny, overrides), tmp_path / "run")
    logs = read_run(tmp_path / "run").logs
    assert logs[-1]["train_loss"] < logs[0]["train_loss"]


def test_batches_of_an_epoch_cover_the_set_once_and_differ_by_epoch(tiny: Path) -> None:
    task = tasks.build(load(tiny, ["training.batch_size=1500"]))
    first, second = ([task.batch(3 * epoch + i)[0] for i in range(3)] for epoch in range(2))
    assert [len(batch) for batch in first] == [1500, 1500, 1000]
    (whole, _) = task.train.batch(torch.arange(4000))
    torch.testing.assert_close(torch.cat(first).sum((0, 1)), whole.sum((0, 1)), atol=1e-2, rtol=0)
    assert not torch.equal(first[0], second[0])
    assert torch.equal(tasks.build(load(tiny, ["training.batch_size=1500"])).batch(4)[0], second[1])


def test_the_last_logging_batch_may_be_smaller(tiny: Path) -> None:
    task = tasks.build(load(tiny, ["logging.batches=all", "logging.batch_size=1500"]))
    assert [len(labels) for _, labels in task.logging_batches()] == [1500, 1500, 1000]


def test_a_part_of_a_logging_epoch_makes_no_batch_of_the_others(tiny: Path) -> None:
    task = tasks.build(load(tiny, ["logging.batches=all", "logging.batch_size=900"]))
    whole, train_set = list(task.logging_batches()), task.train
    with mock.patch.object(train_set, "batch", wraps=train_set.batch) as made:
        parts = [list(task.logging_batches(part, 3)) for part in range(3)]
    assert [len(part) for part in parts] == [2, 2, 1]
    assert made.call_count == 5
    for number, (images, labels) in enumerate(whole):
        part = parts[number % 3][number // 3]
        assert torch.equal(part[0], images)
        assert torch.equal(part[1], labels)


BUFFERS = """
import sys
from pathlib import Path
import torch
from lionkit_lab import tasks
from lionkit_lab.engine import Engine
from lionkit_lab.recipe import load
from lionkit_lab.state import TrainingState, snapshot
from lionkit_lab.train._measure import Measurement

def taken(state, recipe, task): Measurement(recipe, task, state).take()
def saved(state, recipe, task): list(snapshot(state).weights)

RESNET = "model={name='resnet', widths=[4], stem_stride=2}"
for sharding, share in (("none", taken), ("none", saved), ("fsdp2", taken), ("fsdp2", saved)):
    recipe = load(Path(sys.argv[1]), [f"engine.sharding={sharding}", RESNET])
    task = tasks.build(recipe)
    state = TrainingState(recipe, task, Engine(recipe.engine))
    gather = state.engine.processes.gather
    state.update()
    before = gather(dict(state.model.named_buffers()))
    before = [{name: it.clone() for name, it in own.items()} for own in before]
    share(state, recipe, task)
    after = gather(dict(state.model.named_buffers()))
    names = [name for name in before[0] if "running" in name]
    assert names and not any(torch.equal(before[0][name], before[1][name]) for name in names), sharding
    for name, first in before[0].items():
        assert torch.equal(after[0][name], first) and torch.equal(after[1][name], first), (sharding, share, name)
"""


def test_what_is_measured_or_saved_has_the_buffers_of_the_first_process_on_all(tiny: Path, tmp_path: Path) -> None:
    script = tmp_path / "buffers.py"
    script.write_text(BUFFERS)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", str(script), str(tiny)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("device", "forked"), [("cpu", []), ("cuda:1", [torch.device("cuda:1")])])
def test_a_sharded_logging_epoch_keeps_the_random_numbers_of_its_device_alone(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, device: str, forked: list[torch.device]
) -> None:
    asked: list[list[torch.device]] = []
    monkeypatch.setattr(torch.random, "fork_rng", lambda devices: asked.append(devices) or nullcontext())
    recipe = load(tiny)
    task = tasks.build(recipe)
    state = TrainingState(recipe, task)
    monkeypatch.setattr(Engine, "is_sharded", True)
    monkeypatch.setattr(state.engine.processes, "device", torch.device(device))
    monkeypatch.setattr(Measurement, "_full_gradient", mock.Mock(side_effect=LookupError("enough")))
    with pytest.raises(LookupError, match="enough"):
        Measurement(recipe, task, state).take()
    assert asked == [forked]


def test_windows_of_a_text_do_not_overlap(tiny: Path) -> None:
    (windows,) = tasks.build(load(tiny, TEXT)).train.batch(torch.arange(20))
    assert windows.shape[1] == 9
    assert torch.equal(windows[:-1, -1], windows[1:, 0])


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("{name='cosine', warmup_steps=2}", [1 / 3, 2 / 3, 1, 0.8535534, 0.5, 0.1464466]),
        ("{name='cosine'}", [(1 + math.cos(math.pi * k / 6)) / 2 for k in range(6)]),
        ("{name='constant'}", [1.0] * 6),
    ],
)
def test_schedules(tiny: Path, schedule: str, expected: list[float]) -> None:
    recipe = load(tiny, [f"schedule={schedule}", "optimizer.lr=1"])
    optimizer = optimizers.optimizer(recipe.optimizer, torch.nn.Linear(1, 1))
    built, found = optimizers.schedule(recipe.schedule, optimizer, 6), []
    for _ in range(6):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        built.step()
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("name", ["lion", "adamw", "sgd"])
def test_optimizers_get_their_settings(tiny: Path, name: str) -> None:
    settings = load(tiny, [f"optimizer={{name='{name}', lr=0.5, weight_decay=0.25}}"]).optimizer
    built = optimizers.optimizer(settings, torch.nn.Linear(1, 1))
    assert type(built).__name__.lower() == name
    assert (built.param_groups[0]["lr"], built.param_groups[0]["weight_decay"]) == (0.5, 0.25)


def test_a_diverging_run_keeps_its_records_and_stays_diverged(tiny: Path, tmp_path: Path) -> None:
    recipe = load(tiny, ["optimizer={name='sgd', lr=1e30}", "training.clip=1e30"])
    messages = []
    for _ in range(2):
        with pytest.raises(DivergenceError) as caught:
            train(recipe, tmp_path / "run")
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert messages[0].startswith("loss is nan at step 2 (lr 1e+30): the run diverged; what was recorded")
    run = read_run(tmp_path / "run")
    assert (run.status, len(run.logs)) == ("diverged", 1)


def test_a_folder_with_another_run_is_refused(tiny: Path, tmp_path: Path) -> None:
    train(load(tiny), tmp_path / "run")
    with pytest.raises(UsageError, match=r'run holds a run of another recipe \("tiny"\); choose another$'):
        train(load(tiny, ["seed=5"]), tmp_path / "run")


def test_a_folder_with_other_data_is_refused(tiny: Path, tmp_path: Path) -> None:
    text = tmp_path / "a" / "text.txt"
    for content in ("ab" * 500, "ba" * 500):
        text.parent.mkdir(exist_ok=True)
        text.write_text(content)
        recipe = load(tiny, [*TEXT, f"task.data={text}", "training.steps=1", "schedule.warmup_steps=0"])
        if content.startswith("ab"):
            train(recipe, tmp_path / "run")
    with pytest.raises(UsageError, match="holds a run of other data"):
        train(recipe, tmp_path / "run")


def test_a_folder_that_is_no_run_is_refused(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-grandma.txt").touch()
    with pytest.raises(UsageError, match=r'is not a run: it holds "to-grandma.txt" and no manifest.json'):
        train(load(tiny), tmp_path / "letters")


def test_a_folder_that_cannot_be_written_is_refused(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"output folder .*file/run cannot be written: Not a directory"):
        train(load(tiny), tmp_path / "file" / "run")


def test_two_processes_do_not_share_a_folder(tiny: Path, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from lionkit_lab.record import claim\n"
        "with claim(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(UsageError, match="is in use by another process"):
            train(load(tiny), tmp_path / "run")
        holder.communicate()
    train(load(tiny), tmp_path / "run")


def test_settings_that_only_the_data_can_refuse(tiny: Path, tmp_path: Path) -> None:
    refused = {
        "model.patch=5": "model.patch: 5 is not allowed: must divide the image's side, 28",
        "schedule.warmup_steps=12": "schedule.warmup_steps: 12 is not allowed: must be below the run's 12 steps",
    }
    for override, message in refused.items():
        with pytest.raises(UsageError) as caught:
            train(load(tiny, [override]), tmp_path / override)
        assert str(caught.value) == message


def test_a_vit_takes_square_images_alone(tiny: Path, tmp_path: Path) -> None:
    write_images(tmp_path, train_labels=[0, 1] * 20, size=(8, 12), test_labels=[1, 0])
    with pytest.raises(UsageError) as caught:
        train(load(tiny, [f"task.data={tmp_path}"]), tmp_path / "vit")
    allowed = "images of 8 x 12 pixels are not square; resnet and mlp take them"
    assert str(caught.value) == f'model.name: "vit" is not allowed: {allowed}'
    train(load(tiny, [f"task.data={tmp_path}", "model={name='resnet', widths=[4]}"]), tmp_path / "resnet")


def test_the_manifest_names_no_folder_of_this_machine(tiny: Path, tmp_path: Path) -> None:
    train(load(tiny), tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["format"] == 1
    assert {"torch", "lionkit", "transformers", "accelerate", "numpy", "python"} == set(manifest["versions"])
    assert not any(value.startswith("/") for value in strings(manifest))


def strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []
