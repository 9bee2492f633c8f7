"""Append-only files of JSON lines, and how a killed run takes one up again."""

import json
import math
import os
from pathlib import Path
from typing import Any, Self

from lionkit_lab.errors import RunError


class Lines:
    """Appends JSON lines to a file.

    A run that resumes writes again what it has written since its last checkpoint. Those lines stand already:
    each is compared with what stands and not written twice.

    Opening changes nothing. The last line, when a kill has torn it, is cut right before the next one is appended.

    Args:
        path: The file; it is made if it is not there.

    Raises:
        RunError: A line is damaged; the file stays as it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a+b")
        try:
            self._standing = self._whole_lines()
        except RunError:
            self._file.close()
            raise
        self.count = len(self._standing)
        """Lines before the place where the next one goes."""
        self.differing = 0
        """Lines that a resumed run wrote otherwise than they stand."""

    def rewind(self, count: int) -> None:
        """Go back to the place after ``count`` lines, without removing any.

        Raises:
            RunError: There are fewer.
        """
        if count > len(self._standing):
            found = f"found {len(self._standing)} lines; expected at least {count}, as the checkpoint says"
            raise RunError(f"{self._path}: {found}; lines were lost: delete the run folder and start again")
        self.count = count

    def write(self, record: dict[str, Any]) -> bool:
        """Append one record, or compare it with the one that stands at its place.

        Returns:
            Whether it was appended.
        """
        line = json.dumps({key: _finite(value) for key, value in record.items()}, allow_nan=False).encode()
        stands = self.count < len(self._standing)
        if stands:
            self.differing += line != self._standing[self.count]
        else:
            self._cut_torn_line()
            self._file.write(line + b"\n")
            self._file.flush()
            self._standing.append(line)
        self.count += 1
        return not stands

    def last(self) -> dict[str, Any] | None:
        """Return the last record that stands."""
        return json.loads(self._standing[-1]) if self._standing else None

    def sync(self) -> None:
        """Wait until the lines are on the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _whole_lines(self) -> list[bytes]:
        self._file.seek(0)
        *lines, torn = self._file.read().split(b"\n")
        for number, line in enumerate(lines, start=1):
            if problem := _problem(line):
                raise self._damaged(number, problem)
        if not _may_be_torn(torn):
            raise self._damaged(len(lines) + 1, "it does not end, and is not the beginning of one record")
        self._torn = bool(torn)
        return lines

    def _cut_torn_line(self) -> None:
        if self._torn:
            self._file.truncate(sum(len(line) + 1 for line in self._standing))
            self._torn = False

    def _damaged(self, number: int, problem: str) -> RunError:
        advice = f"restore the file, or delete {self._path.parent} to start again"
        return RunError(f'line {number} of "{self._path}" is damaged: {problem}; {advice}')


_START = b'{"kind": "'  # of every line


def _problem(line: bytes) -> str | None:
    """Return what is wrong with a whole line, or None."""
    try:
        record = json.loads(line.decode("utf-8"))
    except ValueError as error:  # UnicodeDecodeError is one
        return str(error)
    if not isinstance(record, dict):
        return f"found {type(record).__name__}; expected an object"
    expected = {"kind": str, "step": int} | ({"status": str, "reason": str} if record.get("kind") == "end" else {})
    wrong = [f'"{key}"' for key, kind in expected.items() if not isinstance(record.get(key), kind)]
    return f"{' and '.join(wrong)} missing or of another type" if wrong else None


def _may_be_torn(line: bytes) -> bool:
    """Say whether the line is the beginning of one record, and of no more: only then is nothing lost with it."""
    return (line.startswith(_START) or _START.startswith(line)) and b"}" not in line[:-1]


def _finite(value: Any) -> Any:
    """Return a number that JSON has no name for as a string: "nan", "inf" or "-inf"."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
