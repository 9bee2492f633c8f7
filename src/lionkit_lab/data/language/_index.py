"""The index of a folder of token shards: what is in them, and how far the tokenizer has come."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lionkit_lab import atomic
from lionkit_lab.data.language._corpus import Corpus
from lionkit_lab.data.language._tokenizer import Tokenizer
from lionkit_lab.errors import RunError

INDEX = "index.json"
FORMAT = 1


@dataclass(frozen=True)
class Shard:
    """Tokens of some documents that follow each other."""

    tokens: int
    """Number of tokens, those that end the documents among them."""
    documents: int
    """Number of documents."""
    sha256: str
    """Hash of the file of the tokens."""
    ends_sha256: str
    """Hash of the file that says where the documents end."""


@dataclass(frozen=True)
class Index:
    """What is in a folder of token shards."""

    corpus: str
    """Name of the corpus."""
    corpus_sha256: str
    """Hash of the corpus's identity."""
    tokenizer: str
    """Name of the tokenizer."""
    tokenizer_sha256: str
    """Hash of all that decides the ids."""
    vocabulary: int
    """Size of the vocabulary."""
    end: int
    """The token after each document."""
    dtype: str
    """``uint16`` where the vocabulary fits, else ``uint32``."""
    complete: bool = False
    """Whether every document is in a shard."""
    shards: tuple[Shard, ...] = ()
    """The shards, in the order of the documents."""

    @property
    def documents(self) -> int:
        """Documents that are in a shard."""
        return sum(shard.documents for shard in self.shards)

    def subject(self) -> tuple[Any, ...]:
        """Return what two indices must agree on to be of the same tokens."""
        return self.corpus_sha256, self.tokenizer_sha256, self.dtype


def new_index(corpus: Corpus, tokenizer: Tokenizer) -> Index:
    """Return the index of no shard yet."""
    dtype = "uint16" if len(tokenizer) <= 2**16 else "uint32"
    return Index(
        corpus=corpus.name,
        corpus_sha256=corpus.sha256(),
        tokenizer=tokenizer.name,
        tokenizer_sha256=tokenizer.sha256(),
        vocabulary=len(tokenizer),
        end=tokenizer.end,
        dtype=dtype,
    )


def token_file(folder: Path, number: int) -> Path:
    """Return the file of the tokens of a shard: little-endian, of the index's dtype."""
    return folder / f"shard-{number:05d}.bin"


def ends_file(folder: Path, number: int) -> Path:
    """Return the file that says after how many of a shard's tokens each document ends: little-endian int64."""
    return folder / f"shard-{number:05d}.ends"


def write_index(folder: Path, index: Index) -> None:
    """Replace the index atomically."""
    atomic.write(folder / INDEX, json.dumps({"format": FORMAT} | asdict(index), indent=1).encode())


def read_index(folder: Path) -> Index | None:
    """Read the index of ``folder``, or return None where there is none.

    Raises:
        RunError: It is damaged, or of another version.
    """
    path = folder / INDEX
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_bytes())
        format_ = content.pop("format")
        if format_ == FORMAT:
            shards = tuple(Shard(**shard) for shard in content.pop("shards"))
            return Index(**content, shards=shards)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"index {path} is damaged: {error}; delete {folder} to tokenise again") from error
    raise RunError(f"index {path}: found format {format_}; expected {FORMAT}; delete {folder} to tokenise again")
