"""Documents: what every source of text looks like to a tokenizer."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import islice
from typing import final


class Corpus(ABC):
    """Documents in a fixed order."""

    name: str
    """What it is called, without its place on this machine."""

    @abstractmethod
    def identity(self) -> str:
        """Return what tells it from another corpus, without its place on this machine."""

    @abstractmethod
    def documents(self, start: int = 0) -> Iterator[str]:
        """Yield the documents from number ``start`` on.

        Raises:
            RunError: A file is missing or damaged.
        """

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of documents."""

    def sha256(self) -> str:
        """Return the hash of ``identity()``."""
        return hashlib.sha256(self.identity().encode()).hexdigest()


@final
class Part(Corpus):
    """Some documents of a corpus that follow each other.

    Args:
        whole: The corpus.
        first: Number of the first document, at least 0.
        stop: Number after the last document, at most ``len(whole)``.
    """

    def __init__(self, whole: Corpus, first: int, stop: int) -> None:
        self.name = whole.name
        self._whole, self._first, self._stop = whole, first, stop

    def identity(self) -> str:
        """Return the identity of the whole, and which part it is."""
        return f"{self._whole.identity()}\ndocuments {self._first} to {self._stop}"

    def documents(self, start: int = 0) -> Iterator[str]:
        """Yield the documents of the part."""
        return islice(self._whole.documents(self._first + start), max(len(self) - start, 0))

    def __len__(self) -> int:
        return self._stop - self._first


@final
class Passages(Corpus):
    """Texts in memory.

    Args:
        name: What they are called.
        texts: One a document.
    """

    def __init__(self, name: str, texts: tuple[str, ...]) -> None:
        self.name = name
        self._texts = texts

    def identity(self) -> str:
        """Return the hashes of the texts."""
        return "\n".join(hashlib.sha256(text.encode()).hexdigest() for text in self._texts)

    def documents(self, start: int = 0) -> Iterator[str]:
        """Yield the texts."""
        return iter(self._texts[start:])

    def __len__(self) -> int:
        return len(self._texts)


def folder_name(name: str) -> str:
    """Return the name of a corpus or a tokenizer as a part of a folder's: letters, digits, ``-_.``; all else is -."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)


def split(corpus: Corpus, test_share: float) -> tuple[Corpus, Corpus]:
    """Split a corpus by document: the last ones, at least one of them, are for the test.

    Args:
        corpus: At least two documents.
        test_share: Share of the documents, in (0, 1).
    """
    count = len(corpus)
    assert count >= 2
    cut = min(max(round(count * (1 - test_share)), 1), count - 1)
    return Part(corpus, 0, cut), Part(corpus, cut, count)
