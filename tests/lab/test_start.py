"""Fine-tuning: weights as they were, a new head, scaled positions; and what cannot be begun with."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from typer.testing import CliRunner

from lionkit_lab import models, tasks
from lionkit_lab.cli import app
from lionkit_lab.errors import RunError, UsageError
from lionkit_lab.recipe import BERT, GPT2, ResNet, ViT, load
from lionkit_lab.record import read_run

VIT = ViT(name="vit", width=16, layers=1, heads=2, patch=7)


def vit(side=28, classes=10, seed=1, settings=VIT):
    torch.manual_seed(seed)
    return models.vit(settings, 1, side, classes)


def saved(path: Path, model: torch.nn.Module) -> Path:
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, path)
    return path


def begun(model, place, **options):
    return models.begin(model, models.find_weights(place), **options)


def differing(one, other):
    theirs = other.state_dict()
    return [name for name, tensor in one.state_dict().items() if not torch.equal(tensor, theirs[name])]


def test_every_weight_is_taken_bit_for_bit(tmp_path):
    source, model = vit(seed=1), vit(seed=2)
    found = begun(model, saved(tmp_path / "w.safetensors", source))
    assert not differing(model, source)
    assert (found.loaded, found.fresh, found.scaled, found.unused) == (len(source.state_dict()), (), (), ())
    assert all(param.requires_grad for param in model.parameters())


@pytest.mark.parametrize(("classes", "options"), [(7, {}), (10, {"new_head": True})])
def test_a_head_for_other_classes_stays_as_it_was_drawn(tmp_path, classes, options):
    source, model, drawn = vit(), vit(classes=classes, seed=2), vit(classes=classes, seed=2)
    found = begun(model, saved(tmp_path / "w.safetensors", source), **options)
    head = ["classifier.weight", "classifier.bias"]
    assert found.fresh == tuple(head)
    assert found.line.endswith("w.safetensors; new: classifier.weight, classifier.bias")
    assert torch.equal(model.classifier.weight, drawn.classifier.weight)
    kept = {name: tensor for name, tensor in model.state_dict().items() if name not in head}
    assert all(torch.equal(tensor, source.state_dict()[name]) for name, tensor in kept.items())


def test_positions_are_scaled_as_a_picture(tmp_path):
    source, model = vit(side=28), vit(side=42, seed=2)
    found = begun(model, saved(tmp_path / "w.safetensors", source))
    name = "vit.embeddings.position_embeddings"
    assert found.scaled == (name,)
    before, after = source.state_dict()[name], model.state_dict()[name]
    assert torch.equal(after[:, 0], before[:, 0])  # the class token's
    # A second way: each channel as a picture of its own.
    for channel in range(16):
        picture = before[0, 1:, channel].reshape(1, 1, 4, 4)
        expected = functional.interpolate(picture, size=(6, 6), mode="bicubic", align_corners=False)
        torch.testing.assert_close(after[0, 1:, channel], expected.flatten(), rtol=0, atol=1e-6)
    assert model(pixel_values=torch.zeros(1, 1, 42, 42)).logits.isfinite().all()


def test_a_constant_position_stays_constant_and_another_grid_is_refused(tmp_path):
    source = vit()
    with torch.no_grad():
        source.vit.embeddings.position_embeddings.fill_(0.3)
    path = saved(tmp_path / "w.safetensors", source)
    larger = vit(side=56, seed=2)
    begun(larger, path)
    torch.testing.assert_close(larger.vit.embeddings.position_embeddings, torch.full((1, 65, 16), 0.3))
    tensors = load_file(path)
    tensors["vit.embeddings.position_embeddings"] = torch.zeros(1, 12, 16)  # 11 patches are no square
    save_file(tensors, path)
    with pytest.raises(UsageError, match=r"has the shape \(1, 12, 16\); the model has \(1, 17, 16\)"):
        begun(vit(), path)


def test_tied_weights_need_not_stand_twice(tmp_path):
    settings = GPT2(name="gpt2", width=16, layers=1, heads=2)
    torch.manual_seed(1)
    source = models.gpt2(settings, 13, 8)
    tensors = {name: tensor.contiguous() for name, tensor in source.state_dict().items() if name != "lm_head.weight"}
    save_file(tensors, tmp_path / "w.safetensors")
    model = models.gpt2(settings, 13, 8)
    assert not begun(model, tmp_path / "w.safetensors").unused
    assert not differing(model, source)
    assert model.lm_head.weight is model.transformer.wte.weight


def test_a_folder_of_a_hub_is_read_by_its_own_settings(tmp_path):
    source, model = vit(), vit(side=42, classes=3, seed=2)
    source.save_pretrained(tmp_path / "hub")
    found = begun(model, tmp_path / "hub")
    assert found.scaled == ("vit.embeddings.position_embeddings",)
    assert found.fresh == ("classifier.weight", "classifier.bias")
    assert torch.equal(model.state_dict()["vit.layernorm.weight"], source.state_dict()["vit.layernorm.weight"])
    file = begun(vit(seed=3), tmp_path / "hub" / "model.safetensors")  # its tensors bear older names
    assert file.loaded == len(source.state_dict())


def without(folder: Path, *names: str) -> None:
    """Take tensors out of the file of a hub's folder."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    kept = {name: tensor for name, tensor in tensors.items() if not name.endswith(names)}
    assert len(kept) == len(tensors) - len(names)
    save_file(kept, path, metadata={"format": "pt"})


def test_what_a_folder_of_a_hub_does_not_have_is_not_drawn(tmp_path):
    source, drawn, model = vit(), vit(seed=2), vit(seed=2)
    source.save_pretrained(tmp_path / "hub")
    without(tmp_path / "hub", "classifier.weight")
    found = begun(model, tmp_path / "hub")
    assert (found.loaded, found.fresh) == (len(source.state_dict()) - 1, ("classifier.weight",))
    assert torch.equal(model.classifier.weight, drawn.classifier.weight)
    assert differing(model, source) == ["classifier.weight"]
    without(tmp_path / "hub", "embeddings.cls_token")
    with pytest.raises(UsageError, match=r"hub: vit.embeddings.cls_token is not there; the model has \(1, 1, 16\)"):
        begun(model, tmp_path / "hub")


@pytest.mark.parametrize("kind", ["gpt2", "bert"])
def test_tied_weights_of_a_hub_are_not_missing(tmp_path, kind):
    def made(seed):
        torch.manual_seed(seed)
        settings = {"gpt2": GPT2, "bert": BERT}[kind](name=kind, width=16, layers=1, heads=2)
        return getattr(models, kind)(settings, 13, 8)

    source, model = made(1), made(2)
    source.save_pretrained(tmp_path / "hub")
    assert not begun(model, tmp_path / "hub").fresh
    assert not differing(model, source)


MISFIT = (
    r"model.safetensors: does not load \(.* has the shape \(10, 16\); config.json makes it \(10, 24\)\); expected a run"
)


def test_a_folder_of_a_hub_that_contradicts_itself_is_named(tmp_path):
    vit().save_pretrained(tmp_path / "hub")
    path = tmp_path / "hub" / "config.json"
    path.write_text(path.read_text().replace('"hidden_size": 16', '"hidden_size": 24'))
    with pytest.raises(RunError, match=MISFIT) as caught:
        begun(vit(), tmp_path / "hub")
    assert "\n" not in str(caught.value)


def test_weights_in_several_files_are_one(tmp_path):
    source, model = vit(), vit(seed=2)
    source.save_pretrained(tmp_path / "hub", max_shard_size="10KB")
    assert len(list((tmp_path / "hub").glob("*.safetensors"))) > 1
    found = begun(model, tmp_path / "hub")
    assert not differing(model, source)
    assert found.loaded == len(source.state_dict())
    weights = models.find_weights(tmp_path / "hub")
    weights.files[0].unlink()
    with pytest.raises(RunError, match=f"and no {weights.files[0].name}; expected a run folder, a safetensors file"):
        models.find_weights(tmp_path / "hub")


def test_what_does_not_fit_is_refused_in_one_line(tmp_path):
    path = saved(tmp_path / "w.safetensors", vit())
    other = ViT(name="vit", width=16, layers=2, heads=2, patch=7)
    with pytest.raises(UsageError, match=r"w.safetensors: vit.layers.1.* is not there; the model has .* there: give"):
        begun(vit(settings=other), path)
    with pytest.raises(UsageError, match=r"resnet.embedder.convolution.weight is not there"):
        begun(models.resnet(ResNet(name="resnet", widths=(8,)), 1, 10), path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(RunError, match=r"w.safetensors: does not load \(.*\); expected a run folder"):
        begun(vit(), path)


def invoke(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def last_line(result):
    """What follows the progress bar."""
    return result.stderr.splitlines()[-1]


def test_a_run_begins_where_another_ended(tiny: Path, tmp_path: Path):
    """The second run's first logging epoch measures the first one's last weights."""
    invoke("train", tiny, "--out", tmp_path / "one", "--set", "optimizer.lr=0.01")
    again = [f"start.checkpoint={tmp_path / 'one'}", "optimizer.lr=0.02"]
    options = [part for override in again for part in ("--set", override)]
    assert "begins with" in invoke("train", tiny, "--out", tmp_path / "two", *options).stderr
    one, two = read_run(tmp_path / "one"), read_run(tmp_path / "two")
    for key in ("train_loss", "test_loss", "l1", "l2"):
        assert two.logs[0][key] == one.logs[-1][key]
    assert two.logs[-1]["train_loss"] != one.logs[-1]["train_loss"]
    assert (two.task["start"]["name"], two.task["start"]["fresh"]) == ("one", [])
    file = two.manifest["data"][-1]
    pointer = json.loads((tmp_path / "one" / "checkpoint.json").read_bytes())
    assert (file["name"], file["sha256"]) == ("one", pointer["files"]["model.safetensors"])
    assert str(tmp_path) not in json.dumps(two.manifest)
    invoke("train", tiny, "--out", tmp_path / "two", *options)  # finished already
    invoke("train", tiny, "--out", tmp_path / "three", "--set", "seed=5")
    moved = ["--set", "optimizer.lr=0.02", "--set", f"start.checkpoint={tmp_path / 'elsewhere' / 'one'}"]
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "three").rename(tmp_path / "elsewhere" / "one")
    error = last_line(invoke("train", tiny, "--out", tmp_path / "two", *moved, code=2))
    assert error.startswith(f"error: output folder {tmp_path / 'two'} holds a run of other data")


def test_a_checkpoint_that_is_missing_says_what_brings_it(tiny: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIONKIT_CACHE", str(tmp_path))
    error = last_line(invoke("train", "cifar10-vit-finetune", code=2))
    assert error == (
        "error: checkpoint runs/cifar10-vit-pretrain: not found; bring it by: lionkit train cifar10-vit-pretrain --out "
        "runs/cifar10-vit-pretrain; or give another by --set start.checkpoint=PATH"
    )
    (tmp_path / "empty").mkdir()
    error = last_line(invoke("train", tiny, "--set", "start.checkpoint=empty", code=1))
    assert error.startswith("error: checkpoint empty: found nothing, and no model.safetensors; expected a run folder")


def test_the_command_that_brings_a_checkpoint_does_not_make_another_run(tiny: Path):
    runs = {load(tiny, [f"start={{checkpoint='x', bring='{words}'}}"]).sha256() for words in ("", "ask for it")}
    assert len(runs) == 1
    assert load(tiny).sha256() not in runs


def test_a_half_of_the_classes_is_a_task_of_its_own(tiny: Path):
    whole = tasks.build(load(tiny))
    task = tasks.build(load(tiny, ["task.classes=[7, 0, 3]", "task.scale_to=14"]))
    images, labels = task.train.batch(torch.arange(len(task.train)))
    theirs, numbers = whole.train.batch(torch.arange(len(whole.train)))
    wanted = sum(numbers == number for number in (0, 3, 7)).bool()
    assert torch.equal(labels, torch.tensor([1, -1, -1, 2, -1, -1, -1, 0, -1, -1])[numbers[wanted]])
    halved = functional.interpolate(theirs[wanted], (14, 14), mode="bilinear", align_corners=False)
    assert torch.equal(images, halved)
    assert task.model().classifier.out_features == 3
    assert task.describe()["title"] == "Fashion-MNIST (7, 0, 3)"
    for override, message in (
        ("task.classes=[1, 12]", r"task.classes: 12 is not allowed: must be in \[0, 9\], each once"),
        ("task.classes=[1, 1]", r"task.classes: 1 is not allowed: must be in \[0, 9\], each once"),
    ):
        with pytest.raises(UsageError, match=message):
            tasks.build(load(tiny, [override]))
    assert tasks.build(load(tiny, ["task.outputs=12"])).model().classifier.out_features == 12
    with pytest.raises(UsageError, match=r"task.outputs: 9 is not allowed: must be at least 10, one for each class"):
        tasks.build(load(tiny, ["task.outputs=9"])).model()
