"""Text as the subject of a recipe: its characters, or its tokens, which no dry run makes."""

import math
from pathlib import Path

import torch

from lionkit_lab import models
from lionkit_lab.data import load_text
from lionkit_lab.data.language import check_tokenizer_name, load_corpora, load_tokenizer
from lionkit_lab.dry_run._known import BYTES_PER_TOKEN, TEXTS, known
from lionkit_lab.dry_run._place import is_readable, size_of
from lionkit_lab.dry_run._subject import Subject
from lionkit_lab.errors import RunError
from lionkit_lab.recipe import BERT, GPT2, Characters, Language, MaskedLanguage, Recipe
from lionkit_lab.tasks import Batch, character_windows

_VOCABULARY = {"gpt2": 50_257, "bert": 30_522}
_SPECIAL = 3  # tokens of a pair of segments that are not text


def of_characters(recipe: Recipe, task: Characters) -> Subject | None:
    """Return a network and the characters of a text; None where the text is not here.

    Raises:
        RunError: It is here, and damaged.
    """
    if not is_readable(task.data):
        return None
    text = load_text(Path(task.data) if task.data else None)
    counts = [len(character_windows(part, task.context)) for part in (text.train, text.test)]
    disk = size_of(task.data) if task.data else 0
    return _subject(recipe, task.context, len(text.vocabulary), (counts[0], counts[1]), disk, exact=True)


def of_tokens(recipe: Recipe, task: Language | MaskedLanguage) -> Subject | None:
    """Return a network and the tokens of a text, as many as its bytes let expect; None without the tokenizer.

    Raises:
        UsageError: A setting does not fit the data.
        RunError: The text or the tokenizer is here, and damaged.
    """
    vocabulary = _vocabulary(task.tokenizer)
    if vocabulary is None:
        return None
    data, width = known(task.data, TEXTS), 2 if vocabulary <= 2**16 else 4
    disk = data.disk if data else _text_size(task)
    train, test = (data.train, data.test) if data else (disk, 0)
    room = task.context - _SPECIAL if isinstance(task, MaskedLanguage) else task.context
    counts = None
    if train is not None:
        whole = train + (test or 0)
        test = test or round(whole * task.test_share)
        disk = (disk or 0) + round(whole / BYTES_PER_TOKEN) * width
        counts = tuple(math.ceil(size / BYTES_PER_TOKEN / room) for size in (whole - test, test))
    return _subject(recipe, task.context, vocabulary, counts or (None, None), disk, exact=False)


def _subject(
    recipe: Recipe, context: int, vocabulary: int, counts: tuple[int | None, ...], disk: int | None, exact: bool
) -> Subject:
    settings = recipe.model
    assert isinstance(settings, GPT2 | BERT)

    def tokens(rows: int, columns: int) -> torch.Tensor:
        return torch.zeros(rows, columns, dtype=torch.int64)

    def batch(size: int) -> Batch:
        if isinstance(settings, GPT2):
            return (tokens(size, context + 1),)
        rows = tokens(size, context)
        return rows, rows, rows + 1, rows, rows[:, 0]

    return Subject(
        network=lambda: models.language_model(settings, vocabulary, context),
        batch=batch,
        train=counts[0],
        test=counts[1],
        exact=exact,
        tokens=context,
        disk=disk,
    )


def _vocabulary(name: str) -> int | None:
    check_tokenizer_name(name)
    if name in _VOCABULARY:
        return _VOCABULARY[name]
    if not name.endswith(".json"):
        return int(name.removeprefix("bpe-"))
    return len(load_tokenizer(Path(name))) if Path(name).exists() else None


def _text_size(task: Language | MaskedLanguage) -> int | None:
    """Return the bytes of a local text, of which there must be some; None where nothing is there."""
    size = size_of(task.data)
    if size is not None and Path(task.data).is_dir():
        load_corpora(task.data, column=task.column, test_share=task.test_share)  # It lists them, and reads none.
    if size == 0:
        raise RunError(f"data {task.data}: found 0 bytes; expected text")
    return size
