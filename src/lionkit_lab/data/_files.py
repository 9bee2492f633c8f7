"""Read a data file, packed or not, and say what was read."""

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

from lionkit_lab.errors import RunError


@dataclass(frozen=True)
class DataFile:
    """What a run's manifest says about one data file."""

    name: str
    """The file's name, without its folder."""
    sha256: str
    """The hash of the unpacked bytes: packing the same data again does not change it."""
    source: str
    """Where the file comes from."""
    license: str
    """Its licence as an SPDX expression, or "unknown" for a user's own file."""


def read(path: Path) -> bytes:
    """Read the bytes of ``path``, unpacked when the name ends in ``.gz``.

    Raises:
        RunError: The file is missing, cannot be read, or is not a whole gzip file.
    """
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except FileNotFoundError as error:
        raise RunError(f"data file {path}: not found") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        found = f"{path.stat().st_size:,} bytes that do not unpack ({error})"
        raise RunError(f"data file {path}: found {found}; expected a whole gzip file") from error
    except OSError as error:
        raise RunError(f"data file {path}: cannot be read: {error.strerror}") from error


def describe(path: Path, content: bytes) -> DataFile:
    """Describe a user's own file by its name and the hash of its unpacked ``content``."""
    return DataFile(path.name, hashlib.sha256(content).hexdigest(), source="local file", license="unknown")


def decode(path: Path, content: bytes) -> str:
    """Decode the UTF-8 ``content`` of ``path``.

    Raises:
        RunError: It is not UTF-8.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RunError(f"data file {path}: found byte {error.start} that is not UTF-8; expected text") from error
