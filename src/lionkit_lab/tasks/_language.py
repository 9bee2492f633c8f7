"""Causal language modelling, by characters or by tokens."""

from pathlib import Path
from typing import final

from torch import Tensor, nn

from lionkit_lab import models
from lionkit_lab.data import load_text
from lionkit_lab.data.language import Windows
from lionkit_lab.errors import UsageError
from lionkit_lab.recipe import GPT2, Characters, Language, Recipe
from lionkit_lab.tasks._corpus import load_tokens
from lionkit_lab.tasks._losses import next_token
from lionkit_lab.tasks._perplexity import SlidingPerplexity
from lionkit_lab.tasks._samples import Batch
from lionkit_lab.tasks._text_task import TextTask
from lionkit_lab.tasks._titles import title_of


class _NextToken(TextTask):
    _vocabulary: int
    _context: int

    def network(self) -> nn.Module:
        """Build the recipe's GPT-2."""
        assert isinstance(self.recipe.model, GPT2)
        return models.gpt2(self.recipe.model, self._vocabulary, self._context)

    def measure(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the mean cross-entropy of the next character or token."""
        return next_token(model, batch)


@final
class CharacterModelling(_NextToken):
    """Predict each next character; the loss is cross-entropy in nats a character, and so is the metric.

    A sample is a window of the text; windows do not overlap, but for the one character that a window predicts
    last and the next one sees first.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        assert isinstance(recipe.task, Characters)
        self._context = recipe.task.context
        text = load_text(Path(recipe.task.data) if recipe.task.data else None)
        self.train, self.test = (_Rows(character_windows(part, self._context)) for part in (text.train, text.test))
        self.data_files = text.files
        self._vocabulary = len(text.vocabulary)
        self._title = title_of(recipe.task.data, "Moby-Dick")
        self._unit = f"windows of {self._context} characters"


@final
class LanguageModelling(_NextToken):
    """Predict each next token; the loss is cross-entropy in nats a token, and so is the metric.

    A sample is a window of the documents, one after the other, with the token that ends a document between them.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        assert isinstance(recipe.task, Language)
        self._context = recipe.task.context
        tokens = load_tokens(recipe.task)
        self.train, self.test = (_Windows(Windows(shards, self._context)) for shards in tokens.shards)
        self.data_files = tokens.files
        self._vocabulary = len(tokens.tokenizer)
        self._perplexity, self._every = None, None
        if wanted := recipe.task.perplexity:
            size = recipe.logging.batch_size
            self._perplexity = SlidingPerplexity(wanted, tokens.tokenizer, self._context, size)
            self._every = wanted.every
            self.data_files += (self._perplexity.file,)
        self._title = title_of(recipe.task.data, "")
        self._unit = f"windows of {self._context} tokens"

    def measured_at(self, model: nn.Module, step: int) -> dict[str, float]:
        """Return the ``perplexity`` of the recipe's other corpus, where it is due."""
        if self._perplexity is None or step % (self._every or 1):
            return {}
        return {"perplexity": self._perplexity.of(model)}


def character_windows(text: Tensor, context: int) -> Tensor:
    """Cut a split of a text, (n,), into windows, ((n - 1) // context, context + 1): a view.

    Raises:
        UsageError: The split has no whole window.
    """
    if len(text) <= context:
        raise UsageError(f"task.context: {context} is not allowed: must be below {len(text)} characters")
    return text.unfold(0, context + 1, context)


class _Rows:
    def __init__(self, rows: Tensor) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def batch(self, indices: Tensor, epoch: int | None = None) -> Batch:
        return (self._rows[indices],)


class _Windows:
    def __init__(self, windows: Windows) -> None:
        self._windows = windows

    def __len__(self) -> int:
        return len(self._windows)

    def batch(self, indices: Tensor, epoch: int | None = None) -> Batch:
        return (self._windows.batch(indices),)
