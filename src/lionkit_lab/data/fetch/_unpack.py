"""Take files out of an npm or a Debian archive, without running anything that is in it."""

import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from lionkit_lab.errors import RunError

_AR = b"!<arch>\n"
_AR_HEADER = 60  # bytes: name 16, times and owners 32, size 10, end 2


def members(archive: Path, patterns: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Yield the last part of the name and the content of each regular file that a pattern fits.

    Raises:
        RunError: The archive is damaged, or nothing in it fits one of the patterns.
    """
    unseen = set(patterns)
    try:
        with tarfile.open(fileobj=_tar(archive)) as tar:
            for member in tar:
                fitting = {pattern for pattern in patterns if fnmatchcase(member.name, pattern)}
                file = tar.extractfile(member) if fitting and member.isfile() else None
                if file:
                    unseen -= fitting
                    yield Path(member.name).name, file.read()
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise RunError(f"archive {archive}: does not unpack ({error}); expected a whole archive") from error
    if unseen:
        raise RunError(f"archive {archive}: found no file like {min(unseen)}; expected at least one")


def _tar(archive: Path) -> io.BytesIO:
    content = archive.read_bytes()
    return io.BytesIO(_data_of_deb(content) if content.startswith(_AR) else content)


def _data_of_deb(content: bytes) -> bytes:
    at = len(_AR)
    while at + _AR_HEADER <= len(content):
        name, size = content[at : at + 16].decode("ascii"), int(content[at + 48 : at + 58])
        at += _AR_HEADER
        if name.startswith("data.tar"):
            return content[at : at + size]
        at += size + size % 2  # Members begin at even places.
    raise tarfile.ReadError("no data.tar in it")
