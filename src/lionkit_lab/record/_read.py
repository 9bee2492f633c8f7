"""Reading run folders, finished or not, without torch."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lionkit_lab.errors import RunError, UsageError, nearest

FORMAT = 1
MANIFEST = "manifest.json"
OPTIMIZER_TITLES = {"lion": "Lion", "adamw": "AdamW", "sgd": "SGD"}
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}

Record = dict[str, Any]
Status = Literal["finished", "diverged", "unfinished"]


@dataclass(frozen=True)
class Run:
    """One recorded training run.

    Attributes:
        folder: The run folder.
        manifest: What was run: recipe, task, data, versions, machine, seed.
        logs: The logging epochs (full loss and full gradient), in step order; non-finite values are floats.
        steps: The minibatch losses, in step order.
        end: The closing record, or None while the run is unfinished.
        seconds: Wall-clock time spent training and logging, in seconds.
    """

    folder: Path
    manifest: Record
    logs: list[Record]
    steps: list[Record]
    end: Record | None
    seconds: float

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
    def title(self) -> str:
        """The optimizer's name as people write it, such as ``AdamW``."""
        return OPTIMIZER_TITLES.get(self.optimizer, self.optimizer)

    @property
    def label(self) -> str:
        """Optimizer and learning rate, such as ``Lion, lr 0.0003``."""
        return f"{self.title}, lr {self.lr:g}"

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
        RunError: The manifest is missing, unreadable or of another format, or a line is damaged.
    """
    manifest = read_manifest(folder / MANIFEST)
    records = [_restore_non_finite(record) for record in _read_lines(folder / "records.jsonl")]
    ends = [record for record in records if record["kind"] == "end"]
    return Run(
        folder=folder,
        manifest=manifest,
        logs=[record for record in records if record["kind"] == "log"],
        steps=[record for record in records if record["kind"] == "step"],
        end=ends[-1] if ends else None,
        seconds=math.fsum(entry["seconds"] for entry in _read_lines(folder / "timing.jsonl")),
    )


def _manifests(path: Path) -> list[Path]:
    if not path.is_dir():
        siblings = [str(p) for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise UsageError(f'runs "{path}" is not a folder{nearest(str(path), siblings)}')
    return sorted(path.rglob(MANIFEST))


def read_manifest(path: Path) -> Record:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f'manifest "{path}" cannot be read: {error}') from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise RunError(f'manifest "{path}" has format {found!r}; this version reads format {FORMAT}')
    return manifest


def _read_lines(path: Path) -> Iterator[Record]:
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        if not line.endswith("\n"):
            return  # the last line of a run that is being written, or was killed while writing
        try:
            yield json.loads(line)
        except ValueError as error:
            raise RunError(f'line {number} of "{path}" is damaged: {error}') from error


def _restore_non_finite(record: Record) -> Record:
    if record["kind"] == "end":
        return record
    return {key: _NON_FINITE.get(value, value) if key != "kind" else value for key, value in record.items()}
