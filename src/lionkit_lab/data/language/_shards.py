"""Token shards, read through memory maps."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from lionkit_lab.data._files import DataFile
from lionkit_lab.data.language._index import INDEX, ends_file, read_index, token_file
from lionkit_lab.errors import RunError

if TYPE_CHECKING:
    import numpy as np


class TokenShards:
    """The tokens of a corpus as one long sequence, of which only what is asked for is read.

    Args:
        folder: What ``tokenise`` has filled.
        verify: Hash every shard first, at about 1 GB a second; without it the sizes alone are checked.

    Raises:
        RunError: The folder is not complete, or a shard is damaged.
    """

    def __init__(self, folder: Path, *, verify: bool = True) -> None:
        import numpy as np

        index = read_index(folder)
        if index is None or not index.complete:
            found = "no index" if index is None else f"{index.documents} documents, and not all"
            raise RunError(f"folder {folder}: found {found}; run the same command again to tokenise what is missing")
        self.folder, self.index = folder, index
        dtype = np.dtype(index.dtype).newbyteorder("<")
        self._maps: list[np.ndarray] = []
        self._ends: list[np.ndarray] = []
        for number, shard in enumerate(index.shards):
            paths = token_file(folder, number), ends_file(folder, number)
            self._maps.append(_map(paths[0], dtype, shard.tokens, shard.sha256 if verify else None))
            self._ends.append(_map(paths[1], np.dtype("<i8"), shard.documents, shard.ends_sha256 if verify else None))
        self._starts = np.cumsum([0] + [shard.tokens for shard in index.shards])

    def __len__(self) -> int:
        """Return the number of tokens."""
        return int(self._starts[-1])

    def read(self, start: int, stop: int) -> "np.ndarray":
        """Return the tokens from ``start`` to before ``stop``, (stop - start,), int64.

        Args:
            start: At least 0.
            stop: At most ``len(self)``.
        """
        import numpy as np

        assert 0 <= start <= stop <= len(self)
        first = int(np.searchsorted(self._starts, start, side="right")) - 1
        parts = []
        while start < stop:
            offset = int(self._starts[first])
            parts.append(self._maps[first][start - offset : stop - offset])
            start, first = offset + len(self._maps[first]), first + 1
        return np.concatenate(parts, dtype=np.int64) if parts else np.empty(0, np.int64)

    def ends(self) -> "np.ndarray":
        """Return the place after each document's last token, its ``end`` among them, (documents,), int64."""
        import numpy as np

        return np.concatenate([ends + start for ends, start in zip(self._ends, self._starts, strict=False)])

    @property
    def file(self) -> DataFile:
        """What a run's manifest says of the shards: the index holds the hash of each."""
        content = (self.folder / INDEX).read_bytes()
        source = f"{self.index.corpus} by {self.index.tokenizer}"
        return DataFile(self.folder.name, hashlib.sha256(content).hexdigest(), source, license="unknown")


def _map(path: Path, dtype: "np.dtype", count: int, sha256: str | None) -> "np.ndarray":
    import numpy as np

    mend = f"delete {path.name} and run the same command again: it is made anew"
    expected = count * dtype.itemsize
    size = path.stat().st_size if path.exists() else None
    if size != expected:
        found = "no such file" if size is None else f"{size:,} bytes"
        raise RunError(f"shard {path} is damaged: found {found}; expected {expected:,} bytes; {mend}")
    if sha256 is not None:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise RunError(f"shard {path} is damaged: found sha256 {found}; expected {sha256}; {mend}")
    return np.memmap(path, dtype, mode="r")
