"""Text files, one document each."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import final

from lionkit_lab.data._files import decode, read
from lionkit_lab.data.language._corpus import Corpus
from lionkit_lab.errors import RunError

SUFFIXES = (".txt", ".txt.gz", ".md", ".raw", ".tokens")

# A tokenizer keeps about 40 times as much in memory while it works on a document.
_MOST = 256 * 2**20


@final
class TextFiles(Corpus):
    """UTF-8 files, packed (``.gz``) or not, one document each.

    Args:
        name: What they are called.
        paths: The files, in their order.
    """

    def __init__(self, name: str, paths: Sequence[Path]) -> None:
        self.name = name
        self._paths = tuple(paths)

    def identity(self) -> str:
        """Return the names of the files, and the hashes of what they hold unpacked."""
        return self._identity

    @cached_property
    def _identity(self) -> str:
        hashes = (hashlib.sha256(read(path)).hexdigest() for path in self._paths)
        return "\n".join(f"{path.name} {sha256}" for path, sha256 in zip(self._paths, hashes, strict=True))

    def documents(self, start: int = 0) -> Iterator[str]:
        """Read one file after the other."""
        return (read_text(path) for path in self._paths[start:])

    def __len__(self) -> int:
        return len(self._paths)


def text_paths(folder: Path) -> list[Path]:
    """Return the text files of a folder, sorted by name."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIXES) and path.is_file())


def read_text(path: Path) -> str:
    """Read a UTF-8 text.

    Raises:
        RunError: It is missing, damaged, not UTF-8, or too large for one document.
    """
    content = read(path)
    if len(content) > _MOST:
        found = f"{len(content):,} bytes in one document; at most {_MOST:,} are allowed"
        raise RunError(f"data file {path}: found {found}: split it into one file a document, or use parquet")
    return decode(path, content)
