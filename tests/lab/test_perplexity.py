"""Perplexity: every token once, with enough tokens before it, against one token at a time."""

import math

import pytest
import torch
import word_recipes
from torch import nn

from lionkit_lab import tasks
from lionkit_lab.data.language import Passages, character_tokenizer, tokenise
from lionkit_lab.errors import UsageError
from lionkit_lab.models import gpt2
from lionkit_lab.recipe import GPT2, load
from lionkit_lab.record import read_run
from lionkit_lab.tasks._corpus import load_tokens
from lionkit_lab.tasks._perplexity import windows
from lionkit_lab.train import train

TEXT = "it was a dark and stormy night; the rain fell in torrents, except at occasional intervals. " * 3


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.setenv("LIONKIT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "one.txt").write_text(TEXT)
    (tmp_path / "two.txt").write_text(TEXT.upper() + TEXT)

    path = word_recipes.write(tmp_path, tmp_path / "one.txt", tokenizer="bpe-270")

    def write(stride, *overrides):
        perplexity = f"task.perplexity={{data='{tmp_path / 'two.txt'}', stride={stride}}}"
        return load(path, ["task.test_share=0.3", perplexity, *overrides])

    return write


@pytest.mark.parametrize("count", [2, 3, 9, 10, 11, 40, 41])
@pytest.mark.parametrize(("context", "stride"), [(1, 1), (10, 1), (10, 3), (10, 10)])
def test_every_token_is_predicted_once_with_enough_before_it(count, context, stride):
    predicted = []
    for window in windows(count, context, stride):
        assert 0 <= window.start < window.stop < count
        assert window.stop - window.start <= context
        for place in range(window.stop - window.new + 1, window.stop + 1):
            predicted.append(place)
            before = place - window.start
            assert before >= min(place, context - stride + 1)
    assert predicted == list(range(1, count))


def brute_force(model: nn.Module, tokens: torch.Tensor, context: int, stride: int) -> float:
    """One token at a time, each with the tokens that its own window shows."""
    nats, total = [], len(tokens) - 1
    for place in range(1, len(tokens)):
        late = max(0, place - context)
        # The window that predicts it begins a multiple of the stride after the first one, but the last one earlier.
        first = 0 if late == 0 else min(-(-late // stride) * stride, total - context)
        logits = model(input_ids=tokens[None, first:place]).logits[0, -1].double()
        nats.append(-logits.log_softmax(0)[tokens[place]].item())
    return math.exp(sum(nats) / total)


@pytest.mark.parametrize("stride", [1, 5, 16])
def test_it_is_what_one_token_at_a_time_gives(recipe, stride):
    task = tasks.build(recipe(stride))
    torch.manual_seed(3)
    model = task.model().double().eval()
    with torch.no_grad():
        for param in model.parameters():
            param.mul_(4)  # far from uniform
        shards = task._perplexity._shards
        tokens = torch.from_numpy(shards.read(0, len(shards)))
        expected = brute_force(model, tokens, 16, stride)
    assert task.measured_at(model, 0) == {"perplexity": pytest.approx(expected, rel=1e-5)}
    assert expected > 1.5 * len(set(tokens.tolist())) or expected < 0.9 * 270


def test_a_model_that_knows_nothing_has_the_size_of_the_vocabulary(recipe):
    task = tasks.build(recipe(7))
    model = task.model()
    with torch.no_grad():
        for param in model.parameters():
            param.zero_()
    (found,) = task.measured_at(model, 0).values()
    assert found == pytest.approx(model.config.vocab_size, rel=1e-5)


def test_a_text_shorter_than_the_context_is_one_window(tmp_path, recipe):
    corpus = Passages("short", ("abc",))
    tokenizer = character_tokenizer(corpus.documents())
    shards = tokenise(corpus, tokenizer, tmp_path / "short")
    assert [(window.start, window.stop, window.new) for window in windows(len(shards), 16, 4)] == [(0, 3, 3)]
    model = gpt2(GPT2(name="gpt2", width=8, layers=1, heads=1), len(tokenizer), 16).double()
    task = tasks.build(recipe(4))
    task._perplexity._shards = shards
    with torch.no_grad():
        expected = brute_force(model, torch.from_numpy(shards.read(0, 4)), 16, 4)
    assert task._perplexity.of(model) == pytest.approx(expected, rel=1e-5)


def test_a_model_in_float64_is_measured_in_float64(recipe):
    task = tasks.build(recipe(5))
    torch.manual_seed(4)
    model = task.model().double().eval()
    with torch.no_grad():
        for param in model.parameters():
            param.mul_(4)
        shards = task._perplexity._shards
        expected = brute_force(model, torch.from_numpy(shards.read(0, len(shards))), 16, 5)
    assert task._perplexity.of(model) == pytest.approx(expected, rel=1e-11)


def test_the_whole_of_a_file_is_measured(recipe, tmp_path):
    task = tasks.build(recipe(5))
    shards = task._perplexity._shards
    assert len(shards.ends()) == 1
    (tokens,) = load_tokens(recipe(5).task).tokenizer.encode([(tmp_path / "two.txt").read_text()])
    assert shards.read(0, len(shards) - 1).tolist() == tokens.tolist()


def test_it_is_recorded_where_it_is_due(recipe, tmp_path):
    train(recipe(4, "task.perplexity.every=4"), tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert {log["step"]: "perplexity" in log for log in run.logs} == {0: True, 2: False, 4: True, 6: False}
    assert run.logs[2]["perplexity"] < run.logs[0]["perplexity"]
    assert run.manifest["recipe"]["task"]["perplexity"]["stride"] == 4
    assert [file["source"] for file in run.manifest["data"]][-1] == "two.txt by bpe-270"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("task.perplexity.stride=17", "task: perplexity.stride 17 is not allowed: must be in [1, 16], task.context"),
        ("task.perplexity.stride=0", "task.perplexity.stride: 0 is not allowed: must be greater than or equal to 1"),
        ("task.perplexity.every=3", "task.perplexity.every: 3 is not allowed: must be a multiple of logging.every, 2"),
        ("task.perplexity.strde=3", 'task.perplexity.strde: unknown key (did you mean "stride"?); known: data, column'),
    ],
)
def test_what_cannot_be_measured_is_refused(recipe, override, message):
    with pytest.raises(UsageError) as caught:
        recipe(4, override)
    assert message in str(caught.value)
