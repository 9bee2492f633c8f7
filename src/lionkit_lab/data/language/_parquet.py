"""Parquet files, one document a row."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, final

from lionkit_lab.data.language._corpus import Corpus
from lionkit_lab.errors import RunError, UsageError

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_ROWS = 256  # read at a time


@final
class Parquet(Corpus):
    """Parquet files with a column of text, one document a row, as OpenWebText is shipped.

    Args:
        name: What they are called.
        paths: The files, in their order.
        column: The column of the text.

    Raises:
        UsageError: pyarrow is missing, or a file does not have the column.
        RunError: A file is missing or damaged.
    """

    def __init__(self, name: str, paths: Sequence[Path], column: str = "text") -> None:
        self.name = name
        self._paths, self._column = tuple(paths), column
        self._rows = [self._count(path) for path in self._paths]

    def identity(self) -> str:
        """Return the names, sizes and hashed footers of the files, and the column.

        A footer has the rows, the least and greatest values and the packed size of each row group; all that the files
        hold may be tens of gigabytes, too much to hash at each start. Times of files are not in it: a copy is the same.
        """
        files = (f"{path.name} {path.stat().st_size} {_footer(path)}" for path in self._paths)
        return "\n".join([self._column, *files])

    def documents(self, start: int = 0) -> Iterator[str]:
        """Read the rows; row groups before ``start`` are skipped, not read."""
        for path, rows in zip(self._paths, self._rows, strict=True):
            if start < rows:
                yield from self._of_file(path, start)
            start = max(start - rows, 0)

    def __len__(self) -> int:
        return sum(self._rows)

    def _of_file(self, path: Path, start: int) -> Iterator[str]:
        with _opened(path) as file:
            sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
            first = 0
            while first < len(sizes) and start >= sizes[first]:
                start, first = start - sizes[first], first + 1
            groups = list(range(first, len(sizes)))
            for batch in _batches(path, file, groups, self._column):
                texts = batch[start:]
                start = max(start - len(batch), 0)
                yield from (text or "" for text in texts)

    def _count(self, path: Path) -> int:
        with _opened(path) as file:
            known = file.schema_arrow.names
            if self._column not in known:
                has = ", ".join(known)
                raise UsageError(f'data file {path}: column "{self._column}" is not there; its columns: {has}')
            return file.metadata.num_rows


def _opened(path: Path) -> "ParquetFile":
    try:
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import ParquetFile
    except ModuleNotFoundError as error:
        raise UsageError('package "pyarrow" is missing: pip install datasets') from error
    try:
        return ParquetFile(path)
    except FileNotFoundError as error:
        raise RunError(f"data file {path}: not found") from error
    except (ArrowInvalid, OSError) as error:
        raise _damaged(path, "open", error) from error


def _footer(path: Path) -> str:
    """Return the hash of what closes a parquet file, whose length stands before the last four bytes."""
    with path.open("rb") as file:
        file.seek(-8, os.SEEK_END)
        length = int.from_bytes(file.read(4), "little")
        file.seek(-8 - length, os.SEEK_END)
        return hashlib.sha256(file.read(length)).hexdigest()


def _batches(path: Path, file: "ParquetFile", groups: list[int], column: str) -> Iterator[list[str | None]]:
    try:
        for batch in file.iter_batches(_ROWS, groups, [column]):
            yield batch.column(0).to_pylist()
    except OSError as error:
        raise _damaged(path, "decode", error) from error


def _damaged(path: Path, verb: str, error: Exception) -> RunError:
    what = " ".join(str(error).split())  # Arrow writes several lines.
    return RunError(f"data file {path}: does not {verb} ({what}); expected a whole parquet file")
