"""Taking a folder for one run, and for one process."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from lionkit_lab import atomic
from lionkit_lab.errors import UsageError
from lionkit_lab.record._read import MANIFEST, read_manifest

_LOCK = "lock"


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Hold ``folder`` for this process; it is made if it is not there.

    Raises:
        UsageError: The folder cannot be written, holds something else, or another process holds it.
    """
    fcntl = _fcntl()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_strangers(folder)
        lock = (folder / _LOCK).open("ab")
    except OSError as error:
        raise UsageError(f"output folder {folder} cannot be written: {error.strerror}") from error
    with lock:  # The system frees the lock when the file is closed, or when the process is killed.
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(f"output folder {folder} is in use by another process") from error
        yield


def open_manifest(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write the manifest of a new run, or see that the folder's run is the same one.

    Returns:
        The manifest that stands in the folder.

    Raises:
        UsageError: The folder holds a run of another recipe or of other data.
        RunError: The manifest that stands is damaged.
    """
    path = folder / MANIFEST
    if not path.exists():
        atomic.write(path, json.dumps(manifest, indent=1).encode())
        return manifest
    standing = read_manifest(path)
    for key in ("recipe_sha256", "data"):
        if standing[key] != manifest[key]:
            what = "another recipe" if key == "recipe_sha256" else "other data"
            raise UsageError(f'output folder {folder} holds a run of {what} ("{standing["name"]}"); choose another')
    return standing


def _fcntl() -> ModuleType:
    # POSIX only. Reading runs works everywhere, so this is not imported at the top.
    try:
        import fcntl
    except ModuleNotFoundError as error:
        raise UsageError(
            "training needs a POSIX system, such as Linux or macOS: this one cannot lock a run folder"
        ) from error
    return fcntl


def _refuse_strangers(folder: Path) -> None:
    if (folder / MANIFEST).exists():
        return
    # What a run killed before its manifest was written may have left.
    own = {_LOCK, MANIFEST + atomic.TEMPORARY}
    strangers = sorted(entry.name for entry in folder.iterdir() if entry.name not in own)
    if strangers:
        raise UsageError(f'output folder {folder} is not a run: it holds "{strangers[0]}" and no {MANIFEST}')
