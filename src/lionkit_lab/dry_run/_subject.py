"""What a recipe trains, and on how much: without loading what may not be there."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from lionkit_lab import models
from lionkit_lab.data import HUB_PREFIX, load_text
from lionkit_lab.data.images import check_classes, load_image_set
from lionkit_lab.data.language import check_tokenizer_name, load_corpora, load_tokenizer
from lionkit_lab.dry_run._known import BYTES_PER_TOKEN, IMAGES, TEXTS, known
from lionkit_lab.dry_run._known import Images as KnownImages
from lionkit_lab.dry_run._missing import missing_data
from lionkit_lab.errors import RunError
from lionkit_lab.recipe import BERT, GPT2, Characters, Images, Language, MaskedLanguage, Recipe
from lionkit_lab.tasks import Batch, character_windows, num_outputs

_VOCABULARY = {"gpt2": 50_257, "bert": 30_522}
_SPECIAL = 3  # tokens of a pair of segments that are not text


@dataclass(frozen=True)
class Subject:
    """A network and its data.

    Attributes:
        network: Builds the network.
        batch: Makes a batch of so many samples, as its data would give.
        train: Training samples; None where nobody knows before the data are there.
        test: Test samples, or None.
        exact: Whether the two are counted, and not estimated from the bytes of a text.
        tokens: Tokens or characters of a sample; None of images.
        disk: Bytes of the data on the disk, and of the tokens that are made of them; None where nobody knows.
    """

    network: Callable[[], nn.Module]
    batch: Callable[[int], Batch]
    train: int | None
    test: int | None
    exact: bool
    tokens: int | None
    disk: int | None


def subject(recipe: Recipe) -> Subject | None:
    """Find out what a recipe trains; None where even the network depends on data that are not here.

    Raises:
        UsageError: A setting does not fit the data.
        RunError: The data or the tokenizer are here, and damaged.
    """
    task = recipe.task
    if isinstance(task, Images):
        found = _images(task)
        return found and _of_images(recipe, task, found)
    if isinstance(task, Characters):
        return _of_characters(recipe, task)
    return _of_tokens(recipe, task)


def _images(task: Images) -> KnownImages | None:
    if task.data and (found := known(task.data, IMAGES)):
        return found
    if not _is_readable(task.data):
        return None
    images = load_image_set(task.data, side=task.side)
    shape = images.train.plain(torch.tensor([0])).shape
    disk = (_size(task.data) or 0) if task.data else 0
    return KnownImages(len(images.train), len(images.test), (shape[1], shape[2], shape[3]), len(images.classes), disk)


def _is_readable(place: str | None) -> bool:
    """Say whether data can be read without the library `datasets`, which would download or unpack them."""
    return place is None or not (place.startswith(HUB_PREFIX) or any(missing_data(place)))


def _of_images(recipe: Recipe, task: Images, data: KnownImages) -> Subject:
    settings = recipe.model
    assert not isinstance(settings, GPT2 | BERT)
    channels, height, width = data.shape or (3, task.side, task.side)
    shape = (channels, task.scale_to or height, task.scale_to or width)
    check_classes(task.classes or (), data.classes)
    classes = len(task.classes) if task.classes else data.classes
    outputs = num_outputs(task, classes)
    train, test = (count * classes // data.classes for count in (data.train, data.test))
    return Subject(
        network=lambda: models.image_classifier(settings, shape, outputs),
        batch=lambda size: (torch.zeros(size, *shape), torch.zeros(size, dtype=torch.int64)),
        train=train,
        test=test,
        exact=True,
        tokens=None,
        disk=data.disk,
    )


def _of_characters(recipe: Recipe, task: Characters) -> Subject | None:
    if not _is_readable(task.data):
        return None
    text = load_text(Path(task.data) if task.data else None)
    counts = [len(character_windows(part, task.context)) for part in (text.train, text.test)]
    disk = _size(task.data) if task.data else 0
    return _of_text(recipe, task.context, len(text.vocabulary), (counts[0], counts[1]), disk, exact=True)


def _of_tokens(recipe: Recipe, task: Language | MaskedLanguage) -> Subject | None:
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
    return _of_text(recipe, task.context, vocabulary, counts or (None, None), disk, exact=False)


def _of_text(
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
    size = _size(task.data)
    if size is not None and Path(task.data).is_dir():
        load_corpora(task.data, column=task.column, test_share=task.test_share)  # It lists them, and reads none.
    if size == 0:
        raise RunError(f"data {task.data}: found 0 bytes; expected text")
    return size


def _size(place: str) -> int | None:
    """Return the bytes of a file or of a folder's files; None where nothing is there."""
    path = Path(place)
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else None
