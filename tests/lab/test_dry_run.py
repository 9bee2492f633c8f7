"""The dry run: counted as the real thing is, for every recipe, without its data."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from lionkit_lab import models, optimizers, tasks
from lionkit_lab.cli import app
from lionkit_lab.dry_run import dry_run
from lionkit_lab.dry_run._find import find_subject
from lionkit_lab.dry_run._height import height
from lionkit_lab.dry_run._memory import optimizer_state, passes
from lionkit_lab.errors import UsageError
from lionkit_lab.recipe import ViT, bundled, load
from lionkit_lab.state import TrainingState

ARMS = load("fashion-mnist", compare="members").arms()


@pytest.fixture(autouse=True)
def _nothing_is_here(tmp_path, monkeypatch):
    monkeypatch.setenv("LIONKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", bundled())
def test_every_recipe_says_what_it_needs_without_its_data(name):
    found = dry_run(load(name))
    assert None not in (found.parameters, found.memory, found.steps, found.epochs, found.train, found.disk)
    assert found.memory.weights >= 4 * found.parameters == found.memory.gradients
    assert found.memory.total > 3 * 4 * found.parameters
    assert found.checkpoint == found.memory.weights + found.memory.optimizer
    brought = [it.command for it in found.missing]
    assert bool(brought) == (name not in ("fashion-mnist", "moby-dick"))
    assert all(brought)


def test_what_is_missing_is_named_with_what_brings_it():
    found = {it.what: it.command for it in dry_run(load("paper/gpt2-medium")).missing}
    assert found == {
        'data set "Skylion007/openwebtext"': (
            "hf download Skylion007/openwebtext --repo-type dataset --local-dir openwebtext  "
            "and --set task.data=datasets:./openwebtext"
        ),
        'tokenizer "gpt2"': "lionkit data fetch gpt2-bpe",
        'data set "Salesforce/wikitext"': (
            "hf download Salesforce/wikitext --repo-type dataset --local-dir wikitext  "
            "and --set task.perplexity.data=datasets:./wikitext:wikitext-103-raw-v1"
        ),
    }
    start = dry_run(load("cifar10-vit-finetune")).missing[-1]
    assert start.command == "lionkit train cifar10-vit-pretrain --out runs/cifar10-vit-pretrain"
    trackers = dry_run(load("moby-dick", ["tracking.trackers=['trackio']"])).missing
    assert [it.what for it in trackers] == ['tracker "trackio"']
    own = dry_run(load("fashion-mnist", ["task.data=elsewhere"]))
    assert own.parameters is None
    assert [it.what for it in own.missing] == ['data "elsewhere"']


@pytest.mark.parametrize("name", ["fashion-mnist", "moby-dick"])
def test_what_it_says_is_what_a_run_has(name):
    recipe = load(name, ["optimizer.momentum_dtype=bfloat16"])
    found, task = dry_run(recipe), tasks.build(recipe)
    state = TrainingState(recipe, task)
    counts = found.parameters, found.steps, found.train, found.test, found.epochs
    epochs = state.total / task.steps_per_epoch
    assert counts == (state.num_parameters, state.total, len(task.train), len(task.test), pytest.approx(epochs))
    state.update()
    assert found.memory.optimizer == state.state_bytes


@pytest.mark.parametrize("arm", ARMS)
def test_the_state_of_every_optimizer_is_counted(arm):
    settings, vit = ARMS[arm][0], ViT(name="vit", width=64, layers=1, patch=8)
    with torch.device("meta"):
        counted = optimizer_state(settings, models.vit(vit, 3, 32, 10))
    model = models.vit(vit, 3, 32, 10)
    for param in model.parameters():
        param.grad = torch.ones_like(param)
    optimizer = optimizers.optimizer(settings, model)
    optimizer.step(lambda: 0.0)
    state = (value for kept in optimizer.state.values() for value in kept.values())
    assert counted == sum(value.nbytes for value in state if isinstance(value, torch.Tensor))


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("cifar10", 0),
        ("cifar10-vit", 0),
        ("sotu-gpt2", 0.05),  # A mask is materialised that a real tensor shows to be needless.
        ("sotu-bert", 0.05),
    ],
)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_height_of_a_step_is_that_of_a_real_one(name, tolerance, precision):
    recipe = load(name, [f"engine.precision={precision}"])
    found = find_subject(recipe)
    network, batch = found.network().train(), found.batch(6)

    def compute():
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision != "float32"):
            loss = tasks.LOSSES[recipe.task.name](network, batch)["loss"]
        loss.backward()

    real = height(compute, [*network.parameters(), *network.buffers(), *batch])
    gradients = sum(param.nbytes for param in network.parameters())
    assert real > gradients
    # Autocast keeps copies of a few weights that it knows to be reused only of real tensors.
    rel = tolerance if precision == "float32" else tolerance + 0.01
    assert passes(recipe, found, 6) == pytest.approx(real, rel=rel, abs=0)


def test_the_height_is_what_is_there_at_once():
    """Two tensors live at a time, whatever was made before; what was there, and views of it, do not count."""
    weight = torch.zeros(1000)

    def compute():
        for _ in range(5):
            one = weight.view(10, 100) + 1  # the one before lives until this one has its name
            one.mul_(3)
        del one
        weight[:500].clone()

    assert height(compute, [weight]) == 2 * 4000


MEASURE = """
import sys, torch
from lionkit_lab import dry_run, tasks
from lionkit_lab.recipe import load
from lionkit_lab.state import TrainingState
from lionkit_lab.train import Measurement

def status(key):
    lines = open("/proc/self/status").read().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(key))

torch.set_num_threads(1)
small = load("fashion-mnist", ["training.batch_size=2"])
TrainingState(small, tasks.build(small)).update()  # what a first step takes once
recipe = load(sys.argv[1], sys.argv[2:])
task, told = tasks.build(recipe), dry_run.dry_run(recipe).memory
before = status("VmRSS")
state = TrainingState(recipe, task)
for _ in range(2):
    state.update()
Measurement(recipe, task, state).take()
print(status("VmHWM") - before, told.total)
"""
LARGE = ["training.batch_size=64", "logging.batch_size=64", "logging.batches=2"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("moby-dick", ["model.width=256", "model.layers=4", *LARGE]),
        ("fashion-mnist", ["model.width=192", "model.layers=4", *LARGE]),
        ("fashion-mnist", ["model={name='resnet', widths=[48, 96, 192]}", *LARGE]),
    ],
    ids=["gpt2", "vit", "resnet"],
)
def test_the_memory_is_what_a_process_takes(name, overrides):
    """Tensors are mapped one by one here: what the allocator keeps of freed ones is nobody's need."""
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", MEASURE, name, *overrides]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=200)
    peak, told = map(int, done.stdout.split())
    print(f"{name}: {peak / 1e6:.0f} MB, told {told / 1e6:.0f} MB, ratio {peak / told:.3f}")
    assert 0.8 < peak / told < 1.2


def test_parts_of_a_batch_need_less():
    base = ["logging.batch_size=1", "training.batch_size=64"]
    whole, parts = (dry_run(load("fashion-mnist", [*base, f"engine.accumulate={count}"])).memory for count in (1, 4))
    shared = dry_run(load("fashion-mnist", base), processes=4).memory
    assert (whole.batch, parts.batch, shared.batch) == (64, 16, 16)
    assert parts.activations == pytest.approx(
        shared.activations + parts.gradients, rel=0.02
    )  # a sum of gradients waits
    assert 3.3 * parts.activations < whole.activations <= 4 * parts.activations


def invoke(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def test_the_command_prints_a_table_or_json(tmp_path: Path):
    output = invoke("train", "fashion-mnist", "--dry-run").output
    assert "204.4" in output
    found = json.loads(invoke("train", "fashion-mnist", "--dry-run", "--json").stdout)
    assert (found["parameters"], found["steps"], found["missing"]) == (41_770, 252, [])
    assert found["memory_total"] == sum(value for key, value in found["memory"].items() if key != "batch")
    assert not list(tmp_path.glob("runs"))


def test_something_missing_is_code_1_and_one_line():
    result = invoke("train", "paper/resnet18-cifar10", "--dry-run", "--json", code=1)
    assert json.loads(result.stdout)["parameters"] == 11_173_962
    expected = 'error: paper-resnet18-cifar10: data set "cifar10" is not here: lionkit data fetch cifar10\n'
    assert result.stderr == expected


def test_a_local_text_is_estimated_by_its_bytes(tmp_path: Path):
    (tmp_path / "texts").mkdir()
    for number in range(10):
        (tmp_path / "texts" / f"{number}.txt").write_text("A word or two. " * 1000)
    recipe = load("sotu-gpt2", [f"task.data={tmp_path / 'texts'}", "task.tokenizer=bpe-300", "task.test_share=0.2"])
    found = dry_run(recipe)
    # Two bytes a token.
    assert (found.disk, found.exact, found.missing) == (150_000 + 2 * round(150_000 / 4.4), False, ())
    assert found.train == round(120_000 / 4.4 / 64 + 0.5)


@pytest.mark.parametrize(("name", "place"), [("cifar10", "datasets:any/set"), ("sotu-gpt2", "datasets:any/set:part")])
def test_a_data_set_of_the_hub_is_never_loaded(name, place, monkeypatch):
    asked = []
    monkeypatch.setattr("datasets.load_dataset", lambda *arguments, **options: asked.append(arguments))
    found = dry_run(load(name, [f"task.data={place}"]))
    assert (found.train, found.disk, asked) == (None, None, [])
    assert [it.what for it in found.missing if "tokenizer" not in it.what] == ['data set "any/set"']
    output = invoke("train", name, "--set", f"task.data={place}", "--dry-run", code=1).output
    assert "about" not in output
    assert "estimated from the bytes" not in output


@pytest.mark.parametrize(
    ("name", "place", "same"),
    [
        ("paper/resnet50-imagenet", "datasets:./imagenet-1k", "datasets:ILSVRC/imagenet-1k"),
        ("sotu-gpt2", "datasets:./wikitext:wikitext-103-raw-v1", "datasets:Salesforce/wikitext:wikitext-103-raw-v1"),
    ],
)
def test_a_downloaded_folder_is_known_by_its_name(name, place, same):
    here, hub = (dry_run(load(name, [f"task.data={where}"])) for where in (place, same))
    assert here.train is not None
    assert (here.train, here.test, here.disk, here.steps) == (hub.train, hub.test, hub.disk, hub.steps)


def test_what_is_here_and_cannot_be_used_is_code_1(tmp_path: Path):
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "empty").mkdir()
    told = {
        ("cifar10", "task.data=empty"): "data empty: found nothing; expected IDX files",
        ("sotu-gpt2", "task.data=empty"): "data empty: found nothing; expected text files",
        ("sotu-gpt2", "task.tokenizer=bad.json"): "tokenizer bad.json: does not load",
    }
    for (name, setting), line in told.items():
        stderr = invoke("train", name, "--set", setting, "--dry-run", "--json", code=1).stderr
        assert line in stderr
        assert stderr.count("\n") == 1
        assert stderr.endswith(": bring it anew, or give another by --set\n")


@pytest.mark.parametrize(
    ("name", "settings", "line"),
    [
        (
            "moby-dick",
            ["task.context=2_000_000"],
            r"task.context: 2000000 is not allowed: must be below \d+ characters",
        ),
        (
            "fashion-mnist",
            ["schedule.warmup_steps=252"],
            "warmup_steps: 252 is not allowed: must be below the run's 252",
        ),
        ("sotu-gpt2", ["training.steps=7", "schedule.warmup_steps=7"], "must be below the run's 7 steps"),
        ("fashion-mnist", ["task.outputs=9"], "task.outputs: 9 is not allowed: must be at least 10"),
        ("cifar10", ["task.classes=[1, 12]"], r"task.classes: 12 is not allowed: must be in \[0, 9\]"),
        ("cifar10", ["task.classes=[3, 3]"], "task.classes: 3 is not allowed"),
        ("sotu-gpt2", ["task.tokenizer=bpe-100"], "size 100 of a BPE is not allowed: must be at least 262"),
        ("sotu-gpt2", ["task.tokenizer=gpt3"], 'task.tokenizer: "gpt3" is not known'),
        ("sotu-bert", ["task.context=11"], "task.context"),
    ],
)
def test_what_training_refuses_is_refused(name, settings, line):
    with pytest.raises(UsageError, match=line):
        dry_run(load(name, settings))


def test_a_warm_up_is_not_refused_by_an_estimate():
    found = dry_run(load("sotu-gpt2", ["training.steps=7", "schedule.warmup_steps=0", "schedule.warmup_epochs=1"]))
    assert found.steps == 7


def test_a_logging_epoch_holds_more_gradients_than_a_step():
    base = ["training.batch_size=128", "logging.batch_size=64"]
    parted = [*base, "engine.accumulate=2"]
    one = dry_run(load("fashion-mnist", parted)).memory
    two = dry_run(load("fashion-mnist", base), processes=2).memory
    cut = dry_run(load("fashion-mnist", [*base, "engine.sharding=fsdp2"]), processes=2).memory
    assert (one.batch, two.logging) == (64, 4 * one.gradients)
    assert one.logging == pytest.approx(2 * one.gradients, rel=0.02)  # of three, one that a second part has as well
    assert cut.logging == 4 * one.gradients + one.weights
    larger = dry_run(load("fashion-mnist", [*parted, "logging.batch_size=100"])).memory
    assert one.activations == larger.activations
    assert larger.logging - one.logging == pytest.approx(one.activations * 36 / 64, rel=0.01)
    assert dry_run(load("fashion-mnist", ["training.batch_size=4000", "logging.batch_size=1"])).memory.logging == 0


def test_keeping_ends_with_the_run():
    found = dry_run(load("fashion-mnist", ["training.keep=[1, 252, 253]"]))
    assert found.kept == 2 * found.memory.weights
