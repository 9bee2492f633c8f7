"""What was measured, one JSON line each: a killed command goes on where it was."""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from lionkit_lab.errors import RunError, UsageError
from lionkit_lab.ratio._cases import Case
from lionkit_lab.ratio._measure import Measurement
from lionkit_lab.record import Lines

_KIND = {"kind": "initial", "step": 0}  # as every line of a record begins


class Ledger:
    """Measurements in a file that only grows; used in a ``with``, which keeps other processes off it.

    Args:
        path: The file; its folder exists.

    Raises:
        UsageError: Another process holds it.
        RunError: A line is damaged; the file stays as it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path.with_suffix(".lock"))
        self._measured: dict[tuple[str, int], Measurement] = {}

    def __enter__(self) -> Self:
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise UsageError(f"output folder {self._path.parent} is in use by another process") from error
        try:
            self._measured = self._read(self._path)
        except RunError:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _read(self, path: Path) -> dict[tuple[str, int], Measurement]:
        with Lines(path) as lines:  # which checks every line, and that but the last is whole
            found = path.read_bytes().split(b"\n")[: lines.count]
        measured = [self._measurement(number, line) for number, line in enumerate(found, 1)]
        return {(one.case, one.seed): one for one in measured}

    def find(self, case: Case, seed: int) -> Measurement | None:
        """Return what was measured of this very case with this seed, or None."""
        return self._measured.get((case.sha256(), seed))

    def append(self, measurement: Measurement) -> None:
        """Write one measurement to the disk."""
        with Lines(self._path) as lines:
            lines.write(_KIND | asdict(measurement))
            lines.sync()
        self._measured[measurement.case, measurement.seed] = measurement

    def _measurement(self, number: int, line: bytes) -> Measurement:
        record = json.loads(line)
        names = [field.name for field in fields(Measurement)]
        missing = [name for name in names if name not in record]
        if missing:
            raise RunError(f'line {number} of "{self._path}" is damaged: "{missing[0]}" is missing; delete the file')
        return Measurement(**{name: record[name] for name in names})
