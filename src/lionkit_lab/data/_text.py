"""A text as a sequence of characters."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lionkit_lab.data._embedded import MOBY_DICK, read_described
from lionkit_lab.data._files import DataFile, decode
from lionkit_lab.errors import RunError

_TRAIN_SHARE = 0.9


@dataclass(frozen=True)
class Text:
    """A text, split by position: its first 90% for training, the rest for the test."""

    train: Tensor
    """Indices into ``vocabulary``, (num_train_characters,), int64."""
    test: Tensor
    """The same for the test split."""
    vocabulary: str
    """The distinct characters of the whole text, sorted."""
    files: tuple[DataFile, ...]
    """What was read."""


def load_text(path: Path | None) -> Text:
    """Load a UTF-8 text file, packed (``.gz``) or not, or the embedded Moby-Dick when it is None.

    Raises:
        RunError: The file is missing, damaged, empty or not UTF-8.
    """
    path = path or MOBY_DICK
    content, file = read_described(path)
    text = decode(path, content)
    if not text:
        raise RunError(f"data file {path}: found 0 characters; expected text")
    vocabulary = "".join(sorted(set(text)))
    index = {character: i for i, character in enumerate(vocabulary)}
    encoded = torch.tensor([index[character] for character in text], dtype=torch.int64)
    cut = int(_TRAIN_SHARE * len(encoded))
    return Text(encoded[:cut], encoded[cut:], vocabulary, (file,))
