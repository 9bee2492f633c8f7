"""What a network of a case is trained on: real data, the loss of its kind, and the network itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lionkit_lab import models
from lionkit_lab.data import load_text
from lionkit_lab.data.images import load_image_set
from lionkit_lab.data.language import (
    Passages,
    SentencePairs,
    Tokenizer,
    TokenShards,
    Windows,
    bert_tokenizer,
    character_tokenizer,
    gpt2_tokenizer,
    tokenise,
)
from lionkit_lab.ratio._cases import Case
from lionkit_lab.recipe import BERT, GPT2
from lionkit_lab.tasks import LOSSES


@dataclass(frozen=True)
class Objective:
    """A loss over data.

    Attributes:
        build: Makes the network; its weights are drawn from torch's global generator.
        loss: The mean loss over a batch's samples, in nats.
        batches: Yields the samples of the case: the same ones each time.
    """

    build: Callable[[], nn.Module]
    loss: Callable[[nn.Module, Any], Tensor]
    batches: Callable[[], Iterator[Any]]


def objective(case: Case) -> Objective:
    """Load the data of a case.

    Raises:
        RunError: Data are damaged, or the tokenizer of a full-size network was not fetched.
    """
    settings = case.settings
    if isinstance(settings, GPT2):
        return _next_token(case, settings)
    if isinstance(settings, BERT):
        return _pre_training(case, settings)
    return _classification(case)


def _classification(case: Case) -> Objective:
    assert not isinstance(case.settings, GPT2 | BERT)
    data, settings = load_image_set(None), case.settings
    labels = data.train.labels
    channels = 3 if case.data == "large images" else 1
    shape = (channels, case.context, case.context)

    def scaled(part: Tensor) -> Tensor:
        images = data.standardise(data.train.plain(part))
        if images.shape[-1] == case.context:
            return images
        size = (case.context, case.context)
        return functional.interpolate(images, size, mode="bilinear").expand(-1, channels, -1, -1)

    return Objective(
        build=lambda: models.image_classifier(settings, shape, len(data.classes)),
        loss=lambda model, batch: LOSSES["images"](model, batch)["loss"],
        batches=lambda: ((scaled(part), labels[part]) for part in _parts(case, len(labels))),
    )


def _next_token(case: Case, settings: GPT2) -> Objective:
    tokenizer, shards = _tokens(case)
    windows = Windows(shards, case.context)
    return Objective(
        build=lambda: models.gpt2(settings, len(tokenizer), case.context),
        loss=lambda model, batch: LOSSES["language"](model, batch)["loss"],
        batches=lambda: ((windows.batch(part),) for part in _parts(case, len(windows))),
    )


def _pre_training(case: Case, settings: BERT) -> Objective:
    tokenizer, shards = _tokens(case)
    pairs = SentencePairs(shards, tokenizer, case.context)
    return Objective(
        build=lambda: models.bert(settings, len(tokenizer), case.context),
        loss=lambda model, batch: model(**batch).loss,  # masked tokens and the order of the segments, as the paper's
        batches=lambda: (pairs.batch(part, seed=0, epoch=0) for part in _parts(case, len(pairs))),
    )


def _tokens(case: Case) -> tuple[Tokenizer, TokenShards]:
    text = _moby_dick()
    if case.data == "characters":
        tokenizer = character_tokenizer([text])
    else:
        tokenizer = gpt2_tokenizer() if isinstance(case.settings, GPT2) else bert_tokenizer()
    return tokenizer, tokenise(Passages("moby-dick", (text,)), tokenizer)


@cache
def _moby_dick() -> str:
    text = load_text(None)
    return "".join(map(text.vocabulary.__getitem__, text.train.tolist()))


def _parts(case: Case, length: int) -> tuple[Tensor, ...]:
    count = min(case.num_samples, length)
    return (torch.arange(count) * length // count).split(case.batch_size)
