"""Reading run folders, finished or not, without torch."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from lionkit_lab.errors import RunError, UsageError, nearest
from lionkit_lab.record import _schema
from lionkit_lab.record._schema import FORMAT as FORMAT
from lionkit_lab.record._undone import standing

MANIFEST = "manifest.json"
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}

Record = dict[str, Any]
Status = Literal["finished", "diverged", "stopped", "unfinished"]


@dataclass(frozen=True)
class Run:
    """One recorded training run.

    Attributes:
        folder: The run folder.
        manifest: What was run: recipe, task, data, versions, machine, seed.
        logs: The logging epochs (full loss and full gradient), in step order; non-finite values are floats.
        steps: The minibatch losses, in step order.
        end: The closing record, or None while the run is unfinished.
        timing: The laps of training and logging, in the order they were driven.
        others: Records of every other kind, in the order they were written.
    """

    folder: Path
    manifest: Record
    logs: list[Record]
    steps: list[Record]
    end: Record | None
    timing: list[Record]
    others: list[Record] = field(default_factory=list)

    @property
    def warnings(self) -> list[Record]:
        """What was warned of while the run went on: ``step`` and ``text``."""
        return [record for record in self.others if record["kind"] == "warning"]

    @property
    def statistics(self) -> list[Record]:
        """What single steps said of themselves, every so many of them: norms, ratio, residual, shares."""
        return [record for record in self.others if record["kind"] == "statistics"]

    @property
    def task(self) -> Record:
        """What was trained on what, and which test metric counts."""
        return self.manifest["task"]

    @property
    def optimizer(self) -> str:
        """The optimizer's name in the recipe, such as ``lion``."""
        return self.manifest["recipe"]["optimizer"]["name"]

    @property
    def lr(self) -> float:
        """The recipe's peak learning rate."""
        return float(self.manifest["recipe"]["optimizer"]["lr"])

    @property
    def seed(self) -> int:
        """The seed of the weights and of the order of the samples."""
        return self.manifest["seed"]

    @property
    def seconds(self) -> float:
        """Wall-clock time spent training and logging, in seconds."""
        return math.fsum(lap["seconds"] for lap in self.timing)

    @property
    def step_ms(self) -> float | None:
        """Wall-clock milliseconds of a training step, gradients and optimizer; None in records of older versions."""
        return self._per_step("seconds")

    @property
    def optimizer_ms(self) -> float | None:
        """Of those, what the optimizer's own part of a step took."""
        return self._per_step("optimizer_seconds")

    @property
    def state_bytes(self) -> int | None:
        """Bytes of the tensors that the optimizer kept between steps; None before the end."""
        return self.end.get("state_bytes") if self.end else None

    def _per_step(self, seconds: str) -> float | None:
        laps = [lap for lap in self.timing if lap.get("steps")]
        steps = sum(lap["steps"] for lap in laps)
        return 1e3 * math.fsum(lap[seconds] for lap in laps) / steps if steps else None

    @property
    def label(self) -> str:
        """Optimizer and learning rate, such as ``lion, lr 0.0003``."""
        return f"{self.optimizer}, lr {self.lr:g}"

    @property
    def status(self) -> Status:
        """How the run ended; ``unfinished`` when it has no closing record yet."""
        return self.end["status"] if self.end else "unfinished"


def find_runs(paths: Sequence[Path]) -> list[Run]:
    """Read every run folder at or below the given paths.

    Args:
        paths: Run folders, or folders that contain some at any depth.

    Returns:
        The runs, each once, in the order of the paths and of the names below them.

    Raises:
        UsageError: A path does not exist, or no run was found.
        RunError: A run's files are damaged.
    """
    manifests = (manifest for path in paths for manifest in _manifests(path))
    folders = dict.fromkeys(manifest.parent.resolve() for manifest in manifests)
    if not folders:
        where = ", ".join(f'"{path}"' for path in paths)
        raise UsageError(f"no runs in {where}: a run is a folder that holds a {MANIFEST}")
    return [read_run(folder) for folder in folders]


def read_run(folder: Path) -> Run:
    """Read one run folder.

    Args:
        folder: A folder that holds ``manifest.json``; records and timing may not have been written yet.

    Returns:
        The run as far as it got.

    Raises:
        RunError: The manifest is missing, unreadable, of another format or lacks a key, or a line is damaged.
    """
    manifest = read_manifest(folder / MANIFEST)
    lines = _read_lines(folder / "records.jsonl", _schema.record_schema)
    records = standing(_restore_non_finite(record) for record in lines)
    ends = [record for record in records if record["kind"] == "end"]
    return Run(
        folder=folder,
        manifest=manifest,
        logs=[record for record in records if record["kind"] == "log"],
        steps=[record for record in records if record["kind"] == "step"],
        end=ends[-1] if ends else None,
        timing=list(_read_lines(folder / "timing.jsonl", lambda _: _schema.TIMING)),
        others=[record for record in records if record["kind"] not in _schema.KINDS],
    )


def _manifests(path: Path) -> list[Path]:
    if not path.is_dir():
        siblings = [str(p) for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise UsageError(f'runs "{path}" is not a folder{nearest(str(path), siblings)}')
    return sorted(path.rglob(MANIFEST))


def read_manifest(path: Path) -> Record:
    """Read and check a manifest.

    Raises:
        RunError: It cannot be read, or is none of this version.
    """
    try:
        manifest = json.loads(_read_bytes(path).decode("utf-8"))
    except ValueError as error:
        raise RunError(f'manifest "{path}" cannot be read: {error}; expected JSON') from error
    _schema.check_format(manifest, path)
    return _schema.check(manifest, _schema.MANIFEST, f'manifest "{path}"')


def _read_lines(path: Path, schema_of: Callable[[Any], TypeAdapter[Any]]) -> Iterator[Record]:
    if not path.exists():
        return
    # The last part is empty, or the torn line of a run that is being written or was killed while writing.
    for number, line in enumerate(_read_bytes(path).split(b"\n")[:-1], start=1):
        where = f'line {number} of "{path}" is damaged'
        try:
            record = json.loads(line.decode("utf-8"))
        except ValueError as error:
            raise RunError(f"{where}: {error}; expected one JSON object") from error
        yield _schema.check(record, schema_of(record), where)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RunError(f'"{path}" cannot be read: {error.strerror}') from error


def _restore_non_finite(record: Record) -> Record:
    if record["kind"] == "end":
        return record
    told = {key: value for key, value in record.items() if isinstance(value, str) and key != "kind"}
    return record | {key: _NON_FINITE.get(value, value) for key, value in told.items()}
