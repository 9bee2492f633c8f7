"""WikiText, whose files and rows are lines: its articles are put together again."""

import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import final

from lionkit_lab.data.language._corpus import Corpus

_TITLE = re.compile(r" = [^=].* = \n")
_BLANK = " \n"  # how WikiText's own files write an empty line; its parquet rows are empty there


@final
class Articles(Corpus):
    """The articles of WikiText, one document each, from its files or from rows that are single lines.

    An article begins at its title, the one line ``= Title =`` with single equals signs after an empty line.

    Args:
        lines: WikiText's files (``wiki.train.raw`` or ``.tokens``), or its rows.
    """

    def __init__(self, lines: Corpus) -> None:
        self.name = lines.name
        self._lines = lines

    def identity(self) -> str:
        """Return the identity of the lines, and that they are put together."""
        return f"{self._lines.identity()}\narticles"

    def documents(self, start: int = 0) -> Iterator[str]:
        """Put the articles together."""
        return islice(_articles(_lines(self._lines)), start, None)

    def __len__(self) -> int:
        return sum(1 for _ in self.documents())


def _lines(corpus: Corpus) -> Iterator[str]:
    for text in corpus.documents():
        # Not splitlines: that would also break lines at form feeds and their like, which stand inside articles.
        for line in io.StringIO(text or _BLANK):
            yield line if line.endswith("\n") else line + "\n"


def _articles(lines: Iterator[str]) -> Iterator[str]:
    article: list[str] = []
    blank = True
    for line in lines:
        if blank and _TITLE.fullmatch(line) and any(part.strip() for part in article):
            yield "".join(article)
            article = []
        article.append(line)
        blank = not line.strip()
    if article:
        yield "".join(article)
