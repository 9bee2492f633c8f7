"""The tasks' losses: means of their parts, plain loops, and batches that do not depend on how they are cut."""

import json

import numpy as np
import pytest
import torch
import word_recipes
from torch.nn import functional

from lionkit_lab import tasks
from lionkit_lab.recipe import load

WORDS = "The cat sat. It was fat. A dog ran, and it was a man. "


@pytest.fixture(params=["masked-language", "language"])
def task(request, tmp_path, monkeypatch):
    monkeypatch.setenv("LIONKIT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "texts").mkdir()
    for number in range(9):
        (tmp_path / "texts" / f"{number}.txt").write_text(WORDS * (number + 5))
    path = word_recipes.write(tmp_path, tmp_path / "texts", request.param)
    return tasks.build(load(path, ["task.context=24"]))


def network(task):
    torch.manual_seed(4)
    model = task.model().double().eval()
    with torch.no_grad():
        for param in model.parameters():
            param.add_(torch.randn_like(param) * 0.3)
    return model


@pytest.mark.parametrize("parts", [2, 3, 7, 9])
def test_a_batch_is_the_mean_of_its_parts(task, parts):
    model, whole = network(task), task.batch(1)
    cut = [batch for batch in (task.batch(1, part, parts) for part in range(parts)) if len(batch[0])]
    for tensors, together in zip(zip(*cut, strict=True), whole, strict=True):
        assert torch.equal(torch.cat(tensors), together)
    assert all(tensor.shape[1:] == whole[0].shape[1:] for tensor in task.batch(1, parts - 1, parts)[:1])
    loss = sum(len(batch[0]) * task.loss(model, batch) for batch in cut) / len(whole[0])
    torch.testing.assert_close(loss, task.loss(model, whole), rtol=1e-12, atol=0)


@pytest.mark.parametrize("task", ["masked-language"], indirect=True)
def test_a_masked_loss_is_a_plain_loop(task):
    rows = torch.arange(len(task.train))
    model, (ids, types, seen, labels, order) = network(task), task.train.batch(rows, 0)
    losses = []
    for row in range(len(ids)):
        one = slice(row, row + 1)
        answer = model(input_ids=ids[one], token_type_ids=types[one], attention_mask=seen[one])
        nats = [
            -answer.prediction_logits[0, place].log_softmax(0)[labels[row, place]].item()
            for place in range(ids.shape[1])
            if labels[row, place] != -100
        ]
        ordered = -answer.seq_relationship_logits[0].log_softmax(0)[order[row]].item()
        losses.append(float(np.mean(nats)) + ordered)
    assert task.loss(model, (ids, types, seen, labels, order)).item() == pytest.approx(np.mean(losses), rel=1e-9)
    counts = (labels != -100).sum(dim=1)
    assert counts.min() < counts.max()  # Means over rows and over tokens differ.


@pytest.mark.parametrize("task", ["language"], indirect=True)
def test_a_next_token_loss_is_a_plain_loop(task):
    model, (windows,) = network(task), task.batch(0)
    logits = model(input_ids=windows[:, :-1]).logits.log_softmax(2)
    nats = [-logits[row, place, windows[row, place + 1]].item() for row in range(7) for place in range(24)]
    assert task.loss(model, (windows,)).item() == pytest.approx(np.mean(nats), rel=1e-9)


def test_a_test_is_the_mean_over_all_its_samples(task):
    model = network(task)
    losses = []
    for batch in task.test_batches():
        ones = zip(*(tensor.split(1) for tensor in batch), strict=True)
        losses += [task.loss(model, one).item() for one in ones]
    assert len(losses) == task.facts()["num_test"]
    assert task.evaluate(model)["test_loss"] == pytest.approx(np.mean(losses), rel=1e-9)
    json.dumps(task.describe())
    assert task.measured_at(model, 0) == {}
    assert task.notes == ()


def test_every_training_sample_is_met_once_an_epoch(task):
    parts = task.steps_per_epoch
    met = torch.cat([task.batch(step)[0] for step in range(parts)])
    assert len(met) == len(task.train)
    again = torch.cat([task.batch(step)[0] for step in range(parts, 2 * parts)])
    assert not torch.equal(met, again)
    if task.recipe.task.name == "language":
        assert sorted(map(tuple, met.tolist())) == sorted(map(tuple, again.tolist()))


def test_an_image_loss_is_that_of_the_textbook(tiny):
    task = tasks.build(load(tiny))
    model, (images, labels) = task.model().eval(), task.batch(0)
    logits = model(pixel_values=images).logits
    expected = (logits.exp().sum(1).log() - logits[torch.arange(len(labels)), labels]).mean()
    torch.testing.assert_close(task.loss(model, (images, labels)), expected, rtol=1e-5, atol=0)
    assert functional.cross_entropy(logits, labels).item() == task.loss(model, (images, labels)).item()


@pytest.mark.parametrize("task", ["language"], indirect=True)
def test_the_share_of_the_test_is_the_recipes(task):
    assert len(task.test._windows._shards.ends()) == 1  # of nine documents
    path = task.recipe.task.data
    settings = task.recipe.task.model_copy(update={"data": path, "test_share": 0.4})
    other = tasks.build(task.recipe.model_copy(update={"task": settings}))
    assert len(other.test._windows._shards.ends()) == 4
