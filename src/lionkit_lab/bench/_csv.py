"""The record of every run: one CSV file that only grows."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

from lionkit_lab.bench._result import Result, Row
from lionkit_lab.errors import UsageError

_RUN = ("commit", "date", "processor", "cores", "threads", "torch", "native kernel")
_CASE = ("name", "num_tensors", "numel", "dtype")
COLUMNS = (*_RUN, *(f"case_{name}" for name in _CASE), *(field.name for field in fields(Row)))


class Record:
    """A CSV file to append to, with its header where it is new.

    Args:
        file: Its path; the folder exists.
        run: What `circumstances` returned.

    Raises:
        UsageError: The file has other columns.
        OSError: It cannot be written.
    """

    def __init__(self, file: Path, run: Mapping[str, str]) -> None:
        self._file = file
        self._run = {name: run[name] for name in _RUN}
        with file.open("a+", newline="", encoding="utf-8") as stream:
            stream.seek(0)
            header = next(csv.reader(stream), None)
            if header is None:
                csv.writer(stream).writerow(COLUMNS)
            elif tuple(header) != COLUMNS:
                raise UsageError(f"file {file} has other columns{_difference(header)}: name another one")

    def append(self, result: Result) -> None:
        """Add a line for every contender of a case."""
        case = {f"case_{name}": getattr(result.case, name) for name in _CASE}
        with self._file.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writerows({**self._run, **case, **asdict(row)} for row in result.rows)


def _difference(header: list[str]) -> str:
    for found, own in zip([*header, "none"], [*COLUMNS, "none"], strict=False):
        if found != own:
            return f' ("{found}" in the place of "{own}")'
    return ""
