"""Perplexity by windows that slide over documents."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import nn
from torch.nn import functional

from lionkit_lab.data import DataFile
from lionkit_lab.data.language import Tokenizer, TokenShards, load_test, tokenise
from lionkit_lab.errors import RunError
from lionkit_lab.recipe import Perplexity


@dataclass(frozen=True)
class Window:
    """Some tokens that follow each other, of which a model predicts the last ones.

    Attributes:
        start: Place of the first token that the model sees.
        stop: Place after the last token that it sees, and of the last one that it predicts.
        new: How many of the last ones count.
    """

    start: int
    stop: int
    new: int


def windows(count: int, context: int, stride: int) -> Iterator[Window]:
    """Yield windows over ``count`` tokens: each token but the first is predicted in exactly one of them.

    The first window predicts all that it can; each further one the next ``stride`` tokens, and the last one what is
    left. All but the first ``context`` tokens are predicted with at least ``context - stride`` tokens before them.

    Args:
        count: At least 2.
        context: Most tokens that the model sees, at least 1.
        stride: Tokens from one window to the next, in [1, ``context``].
    """
    stop = min(context, count - 1)
    yield Window(0, stop, stop)
    while stop < count - 1:
        new = min(stride, count - 1 - stop)
        stop += new
        yield Window(stop - context, stop, new)


class SlidingPerplexity:
    r"""The perplexity of a model on the test documents of a corpus, $\exp(-\frac1n \sum_i \log p(t_i | t_{<i}))$.

    The documents are one sequence, each followed by the token that ends it. They are those that the data name for the
    test, else all. What the model computes in float64 stays so; narrower logits become float32.

    Args:
        settings: The recipe's.
        tokenizer: That of the training data.
        context: Most tokens that the model sees.
        batch_size: Windows that are computed at once.

    Raises:
        UsageError: The data or the column are not known.
        RunError: Something is missing or damaged, or there are fewer than 2 tokens.

    References:
        Radford et al., "Language models are unsupervised multitask learners", 2019, section 3.1 (zero-shot, stride).
    """

    def __init__(self, settings: Perplexity, tokenizer: Tokenizer, context: int, batch_size: int) -> None:
        test = load_test(settings.data, column=settings.column)
        self._shards: TokenShards = tokenise(test, tokenizer)
        self._context, self._stride, self._batch_size = context, settings.stride, batch_size
        if len(self._shards) < 2:
            raise RunError(f'corpus "{test.name}": found {len(self._shards)} token; expected 2 or more')

    @property
    def file(self) -> DataFile:
        """What a manifest says of the tokens."""
        return self._shards.file

    @torch.no_grad()
    def of(self, model: nn.Module) -> float:
        """Return the perplexity of a model, at least 1; infinite where it is above the largest number."""
        slides = windows(len(self._shards), self._context, self._stride)
        nats = sum(self._nats(model, list(batch)) for batch in iter(lambda: list(islice(slides, self._batch_size)), []))
        mean = nats / (len(self._shards) - 1)
        return math.exp(mean) if mean < math.log(torch.finfo(torch.float64).max) else math.inf

    def _nats(self, model: nn.Module, batch: list[Window]) -> float:
        """Return the sum of the cross-entropy of the tokens that count."""
        device = next(model.parameters()).device
        rows = [torch.from_numpy(self._shards.read(window.start, window.stop + 1)) for window in batch]
        tokens = torch.stack(rows).to(device)  # all of one length: only a lone first window is shorter
        logits = model(input_ids=tokens[:, :-1]).logits
        wide = logits.transpose(1, 2).to(torch.promote_types(logits.dtype, torch.float32))
        losses = functional.cross_entropy(wide, tokens[:, 1:], reduction="none")
        lengths = torch.tensor([window.new for window in batch], device=device)
        counts = torch.arange(losses.shape[1], device=device) >= losses.shape[1] - lengths[:, None]
        return losses.masked_fill(~counts, 0.0).double().sum().item()
