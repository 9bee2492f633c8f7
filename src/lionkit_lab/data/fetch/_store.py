"""The folders of fetched data: what is in them, and whether it still is what was fetched."""

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from lionkit_lab import atomic
from lionkit_lab.data._cache import cache_folder
from lionkit_lab.data._writing import writing
from lionkit_lab.data.fetch._packages import Package
from lionkit_lab.errors import RunError

_CONTENTS = "contents.json"


def folder_of(package: Package) -> Path:
    """Return where the package's data are, or would be: another archive under the same name has another folder."""
    return cache_folder() / "data" / f"{package.name}-{package.sha256[:8]}"


def store(package: Package, files: Iterable[tuple[str, bytes]]) -> None:
    """Fill the package's folder, which is there whole or not at all."""
    folder = folder_of(package)
    filling = folder.with_name(folder.name + atomic.TEMPORARY)
    hashes = {}
    with writing(filling):
        shutil.rmtree(filling, ignore_errors=True)
        filling.mkdir(parents=True)
        for name, content in files:
            atomic.write(filling / name, content)
            hashes[name] = hashlib.sha256(content).hexdigest()
        contents = {"package": package.spec, "archive_sha256": package.sha256, "files": hashes}
        atomic.write(filling / _CONTENTS, json.dumps(contents, indent=1).encode())
        shutil.rmtree(folder, ignore_errors=True)
        filling.replace(folder)


def is_there(package: Package) -> bool:
    """Say whether the package was fetched; this reads none of its data."""
    return (folder_of(package) / _CONTENTS).exists()


def verified(package: Package) -> Path:
    """Return the package's folder, every file of which was read and is the one that was fetched.

    Raises:
        RunError: It was not fetched, or a file was changed since.
    """
    folder, again = folder_of(package), f"lionkit data fetch {package.name}"
    if not is_there(package):
        raise RunError(f'data set "{package.name}" is not here: {again}  ({package.size / 1e6:.1f} MB)')
    for name, expected in json.loads((folder / _CONTENTS).read_bytes())["files"].items():
        found = _sha256(folder / name)
        if found != expected:
            raise RunError(f"data file {folder / name}: found {found}; expected sha256 {expected}; mend it by: {again}")
    return folder


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "no such file"
