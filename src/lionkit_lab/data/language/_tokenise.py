"""Tokenise a corpus once, into shards on the disk; a process that was killed is taken up where it was."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from lionkit_lab import atomic
from lionkit_lab.data._cache import cache_folder
from lionkit_lab.data._writing import writing
from lionkit_lab.data.language._corpus import Corpus, folder_name
from lionkit_lab.data.language._index import (
    Index,
    Shard,
    ends_file,
    new_index,
    read_index,
    token_file,
    write_index,
)
from lionkit_lab.data.language._shards import TokenShards
from lionkit_lab.data.language._tokenizer import Tokenizer
from lionkit_lab.errors import RunError

if TYPE_CHECKING:
    import numpy as np

Tick = Callable[[int, int], None]
"""Hears of the documents that are in a shard, and of all there are."""

TOKENIZER = "tokenizer.json"
_BATCH = 64  # documents that the tokenizer gets at once: it works on them in parallel
_SHARD = 2**26  # tokens: 128 MB, and as much in memory while a shard is written


def _quiet(done: int, total: int) -> None:
    """Hear nothing."""


def tokenise(
    corpus: Corpus,
    tokenizer: Tokenizer,
    folder: Path | None = None,
    *,
    shard_tokens: int = _SHARD,
    tick: Tick = _quiet,
) -> TokenShards:
    """Tokenise a corpus into shards, unless that was done before; several processes may ask at once.

    Each document is followed by the tokenizer's ``end``. A shard holds whole documents and is written atomically,
    then noted in the index: a process that is killed loses at most the shard it was at, and the same call goes on
    from there.

    Args:
        corpus: The documents.
        tokenizer: What makes tokens of them.
        folder: Where the shards go; by default a folder of this corpus and this tokenizer in the cache.
        shard_tokens: A shard is closed by the document with which it has this many tokens, at least 1.
        tick: Called after each shard with the documents that are done, and with all.

    Raises:
        RunError: ``folder`` holds other tokens, a document cannot be read, there is none, or the disk is full.
    """
    begun = new_index(corpus, tokenizer)
    folder = folder or default_folder(begun)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        index = _resumed(folder, begun)
        if not index.complete:
            tokenizer.save(folder / TOKENIZER)
            _go_on(corpus, tokenizer, folder, index, shard_tokens, tick)
    return TokenShards(folder)


def default_folder(index: Index) -> Path:
    """Return the folder in the cache for the tokens of this corpus and this tokenizer."""
    subject = hashlib.sha256(" ".join(index.subject()).encode()).hexdigest()
    return cache_folder() / "tokens" / f"{folder_name(index.corpus)}-{folder_name(index.tokenizer)}-{subject[:8]}"


def _resumed(folder: Path, begun: Index) -> Index:
    """Return the index as far as its shards are there."""
    found = read_index(folder)
    if found is None:
        return begun
    if found.subject() != begun.subject():
        held, asked = (f"{index.corpus} by {index.tokenizer}" for index in (found, begun))
        other = " (another content or vocabulary of the same name)" if held == asked else ""
        raise RunError(f"folder {folder}: found tokens of {held}; expected {asked}{other}; delete it or give another")
    files = ((token_file(folder, number), ends_file(folder, number)) for number in range(len(found.shards)))
    lost = next((number for number, pair in enumerate(files) if not all(path.exists() for path in pair)), None)
    return found if lost is None else replace(found, complete=False, shards=found.shards[:lost])


def _go_on(corpus: Corpus, tokenizer: Tokenizer, folder: Path, index: Index, shard_tokens: int, tick: Tick) -> None:
    total = len(corpus)
    documents = corpus.documents(index.documents)
    for tokens in _shards(documents, tokenizer, shard_tokens):
        with writing(folder):
            shard = _write(folder, len(index.shards), tokens, index)
            index = replace(index, shards=(*index.shards, shard))
            write_index(folder, index)
        tick(index.documents, total)
    if not index.shards:
        raise RunError(f'corpus "{corpus.name}": found 0 documents; expected text')
    with writing(folder):
        write_index(folder, replace(index, complete=True))


def _shards(documents: Iterator[str], tokenizer: Tokenizer, shard_tokens: int) -> Iterator[list["np.ndarray"]]:
    """Yield the tokens of the documents of one shard after the other."""
    shard, count = [], 0
    for batch in _batched(documents):
        for tokens in tokenizer.encode(batch):
            shard.append(tokens)
            count += len(tokens) + 1
            if count >= shard_tokens:
                yield shard
                shard, count = [], 0
    if shard:
        yield shard


def _batched(documents: Iterator[str]) -> Iterator[list[str]]:
    batch = []
    for document in documents:
        batch.append(document)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _write(folder: Path, number: int, documents: list["np.ndarray"], index: Index) -> Shard:
    import numpy as np

    ends = np.cumsum([len(tokens) + 1 for tokens in documents], dtype="<i8")
    stream = np.full(int(ends[-1]), index.end, dtype=np.dtype(index.dtype).newbyteorder("<"))
    for tokens, stop in zip(documents, ends, strict=True):
        stream[stop - 1 - len(tokens) : stop - 1] = tokens
    hashes = []
    for path, numbers in ((token_file(folder, number), stream), (ends_file(folder, number), ends)):
        content = numbers.tobytes()
        atomic.write(path, content)
        hashes.append(hashlib.sha256(content).hexdigest())
    return Shard(len(stream), len(ends), *hashes)
