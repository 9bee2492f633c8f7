"""Files that are there whole or not at all, whenever the process is killed."""

import os
from pathlib import Path

TEMPORARY = ".tmp"


def write(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``: a reader finds the old file or the new one, never a part."""
    temporary = path.with_name(path.name + TEMPORARY)
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # Without this a power cut may undo the renaming.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
