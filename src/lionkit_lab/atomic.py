"""Files that are there whole or not at all, whenever the process is killed."""

import os
from pathlib import Path

TEMPORARY = ".tmp"


def write(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``: a reader finds the old file or the new one, never a part."""
    temporary = path.with_name(path.name + TEMPORARY)
    with temporary.open("wb") as file:
        file.write(content)
    replace(temporary, path)


def replace(temporary: Path, path: Path) -> None:
    """Put a file, or a folder of files, that is whole in the place of ``path``: not before all of it is on the disk.

    Args:
        temporary: In the same folder as ``path``.
        path: What it shall be; no folder.
    """
    inside = list(temporary.rglob("*")) if temporary.is_dir() else []
    for entry in (*inside, temporary):
        sync(entry)
    temporary.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk: a power cut may undo them until then."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
