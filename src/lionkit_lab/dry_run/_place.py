"""The place where a recipe says that its data are."""

from pathlib import Path

from lionkit_lab.data import HUB_PREFIX
from lionkit_lab.dry_run._missing import missing_data


def is_readable(place: str | None) -> bool:
    """Say whether data can be read without the library `datasets`, which would download or unpack them."""
    return place is None or not (place.startswith(HUB_PREFIX) or any(missing_data(place)))


def size_of(place: str) -> int | None:
    """Return the bytes of a file or of a folder's files; None where nothing is there."""
    path = Path(place)
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else None
