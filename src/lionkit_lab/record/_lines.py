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
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a+b")
        self._standing = self._whole_lines()
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

    def write(self, record: dict[str, Any]) -> None:
        """Append one record, or compare it with the one that stands at its place."""
        line = json.dumps({key: _finite(value) for key, value in record.items()}, allow_nan=False).encode()
        if self.count < len(self._standing):
            self.differing += line != self._standing[self.count]
        else:
            self._file.write(line + b"\n")
            self._file.flush()
            self._standing.append(line)
        self.count += 1

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
        """Return the lines that stand, and cut a last one that a kill has torn."""
        self._file.seek(0)
        content = self._file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._file.truncate(len(whole))
        lines = whole.splitlines()
        for number, line in enumerate(lines, start=1):
            self._check(number, line)
        return lines

    def _check(self, number: int, line: bytes) -> None:
        try:
            json.loads(line)
        except ValueError as error:
            raise RunError(f'line {number} of "{self._path}" is damaged: {error}') from error


def _finite(value: Any) -> Any:
    """Return a number that JSON has no name for as a string: "nan", "inf" or "-inf"."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
