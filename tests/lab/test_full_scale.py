"""Full-scale recipes start: the real network, on made data of the exact format, for two steps."""

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lionkit_lab.recipe import load
from lionkit_lab.record import read_run
from lionkit_lab.train import train

pytestmark = pytest.mark.slow

SMALL = (
    "schedule={name='cosine'}",
    "training={steps=2, batch_size=2}",
    "logging={every=2, batches=1, batch_size=2, step_every=1}",
    "engine.accumulate=1",
)
RANDOM = np.random.default_rng(7)
CLASSES = ("ant", "bee", "cat")


def pictures(folder: Path, split: str, sizes, column: str, label: str, unlabelled=False):
    """Rows of a data set of the hub, as parquet: images and the numbers of their classes."""
    import datasets

    images = [Image.fromarray(RANDOM.integers(256, size=(*size[::-1], 3), dtype=np.uint8)) for size in sizes]
    features = datasets.Features({column: datasets.Image(), label: datasets.ClassLabel(names=list(CLASSES))})
    labels = [-1 if unlabelled else number % len(CLASSES) for number in range(len(images))]
    rows = datasets.Dataset.from_dict({column: images, label: labels}, features)
    rows.to_parquet(folder / f"{split}-00000-of-00001.parquet")


def imagenet(folder: Path) -> str:
    """With the test split whose labels are kept secret."""
    for split, unlabelled in (("train", False), ("validation", False), ("test", True)):
        pictures(folder, split, [(301, 237), (240, 400), (224, 224), (500, 375)], "image", "label", unlabelled)
    return f"task.data=datasets:{folder}"


def cifar100(folder: Path) -> str:
    for split in ("train", "test"):
        pictures(folder, split, [(32, 32)] * 5, "img", "fine_label")
    return f"task.data=datasets:{folder}"


def openwebtext(folder: Path) -> str:
    import datasets

    words = ["the", "cat", "sat", "on", "a", "mat", "and", "then", "it", "ran"]
    texts = [" ".join(RANDOM.choice(words, size=700)) + ".\n\nThe end. " * 9 for _ in range(12)]
    datasets.Dataset.from_dict({"text": texts}).to_parquet(folder / "train-00000-of-00001.parquet")
    return f"task.data=datasets:{folder}"


@pytest.fixture(autouse=True)
def _own_places(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LIONKIT_CACHE", str(tmp_path / "cache"))


def published(folder: Path, name: str, monkeypatch) -> None:
    """A vocabulary of the published size and layout; the texts need only its letters."""
    import json

    from lionkit_lab.data import fetch
    from lionkit_lab.data.language import _published

    folder.mkdir()
    if name == "gpt2-bpe":
        from tokenizers import pre_tokenizers

        letters = sorted(pre_tokenizers.ByteLevel.alphabet())
        fill = [f"<{number}>" for number in range(50_257 - len(letters) - 1)]
        vocabulary = {token: number for number, token in enumerate([*letters, *fill, "<|endoftext|>"])}
        (folder / "encoder.json").write_text(json.dumps(vocabulary))
        (folder / "vocab.bpe").write_text("#version: 0.2\n")
    else:
        letters = [*"abcdefghijklmnopqrstuvwxyz.,"]
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
        pieces = [*special, *(f"<{number}>" for number in range(30_522 - len(special)))]
        (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    monkeypatch.setattr(_published.fetch, "here", lambda asked: folder if asked == name else fetch.here(asked))


@pytest.mark.parametrize(
    ("name", "make", "dim"),
    [
        ("paper/resnet18-cifar100", cifar100, 11_173_962 - 7 * 513),
        ("paper/resnet50-imagenet", imagenet, 25_557_032 - 997 * 2049),
        ("paper/vit-s-imagenet", imagenet, 30_075_219),
    ],
)
def test_an_image_recipe_starts(tmp_path, name, make, dim):
    (tmp_path / "hub").mkdir()
    train(load(name, [make(tmp_path / "hub"), *SMALL]), tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert run.status == "finished"
    assert run.task["num_parameters"] == dim
    assert [step["step"] for step in run.steps] == [1, 2]
    assert all(math.isfinite(log["ratio"]) for log in run.logs)
    assert 0.01 < run.logs[0]["ratio"] / math.sqrt(dim) <= 1


def test_vit_s_is_fine_tuned_from_a_checkpoint_of_a_hub(tmp_path):
    """As transformers saves it: a head of 1,000 classes gives way to one of CIFAR-100's."""
    import torch

    from lionkit_lab import models

    torch.manual_seed(1)
    models.vit(models.published("vit-s"), 3, 224, 1000).save_pretrained(tmp_path / "checkpoint")
    (tmp_path / "hub").mkdir()
    start = f"start.checkpoint={tmp_path / 'checkpoint'}"
    train(load("paper/vit-s-cifar100", [cifar100(tmp_path / "hub"), start, *SMALL]), tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert run.status == "finished"
    assert run.task["start"]["fresh"] == ["classifier.weight", "classifier.bias"]
    assert run.task["start"]["scaled"] == []


@pytest.mark.parametrize(
    ("name", "package", "dim"),
    [("paper/bert-base", "bert-wordpiece", 110_106_428), ("paper/gpt2-small", "gpt2-bpe", 124_439_808)],
)
def test_a_language_recipe_starts(tmp_path, monkeypatch, name, package, dim):
    published(tmp_path / "vocabulary", package, monkeypatch)
    (tmp_path / "hub").mkdir()
    overrides = [openwebtext(tmp_path / "hub"), *SMALL, "task.test_share=0.3"]
    if "gpt2" in name:
        wikitext = tmp_path / "wikitext-103"
        wikitext.mkdir()
        for split in ("train", "test"):
            (wikitext / f"wiki.{split}.raw").write_text(" \n = Ant = \n \n" + " An ant is small . \n" * 20)
        overrides += [f"task.perplexity={{data='{wikitext}', stride=512}}", "training.keep=[2]", "logging.batch_size=1"]
    train(load(name, overrides), tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert run.status == "finished"
    assert run.task["num_parameters"] == dim
    if "gpt2" in name:
        assert run.logs[0]["perplexity"] == pytest.approx(50_257, rel=0.5)
        assert (tmp_path / "run" / "kept" / "step-000002.safetensors").exists()
