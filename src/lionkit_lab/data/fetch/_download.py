"""Download one file in as many goes as it takes."""

import http.client
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from lionkit_lab.data._writing import writing
from lionkit_lab.errors import RunError

Tick = Callable[[int, int], None]
"""Hears of the bytes that are there, and of all that there will be."""

PART = ".part"
_PIECE = 1 << 18  # bytes between two ticks
_TIMEOUT = 30.0  # seconds without a byte
_PAUSES = (0.5, 1.0, 2.0)  # seconds before another go, after so many in a row that brought nothing
# A connection that broke, at whichever layer: urllib lets all of them through.
_BROKEN = (URLError, TimeoutError, ConnectionError, http.client.HTTPException)


class _BrokenError(Exception):
    """The connection broke while bytes came: told from an error of the disk, which is an OSError as well."""


def download(url: str, path: Path, size: int, tick: Tick) -> None:
    """Download ``url`` into ``path``, going on from what ``path.part`` already holds.

    Args:
        url: What to download, by http or https; the usual proxy variables are heeded.
        path: The file, made whole or not at all.
        size: Its size in bytes.
        tick: Called after each piece.

    Raises:
        RunError: The server cannot be reached or serves another file, or the disk is full.
    """
    part = path.with_name(path.name + PART)
    failures = 0
    while (have := _size(part)) < size:
        broken = _go_on(url, part, have, size, tick)
        failures = 0 if _size(part) > have else failures + 1
        if failures > len(_PAUSES):
            raise RunError(f"{url}: {broken}; {have:,} of {size:,} bytes are there and are kept")
        time.sleep(_PAUSES[failures - 1] if failures else 0)
    with writing(path):
        part.replace(path)


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _go_on(url: str, part: Path, have: int, size: int, tick: Tick) -> str:
    """Append what comes, and say why no more came."""
    request = Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urlopen(request, timeout=_TIMEOUT) as response:
            resumed = response.status == http.client.PARTIAL_CONTENT
            _check_length(url, response, have if resumed else 0, size)
            _append(response, part, have if resumed else 0, size, tick)
    except HTTPError as error:
        error.close()
        if error.code < http.client.INTERNAL_SERVER_ERROR:
            raise RunError(f"{url}: the server says {error.code} {error.reason}") from error
        return f"the server says {error.code} {error.reason}"
    except (*_BROKEN, _BrokenError) as error:
        return f"no connection ({getattr(error, 'reason', None) or error or type(error).__name__})"
    return "the connection closed"


def _check_length(url: str, response: http.client.HTTPResponse, have: int, size: int) -> None:
    length = response.headers.get("Content-Length")
    if length is not None and have + int(length) != size:
        raise RunError(f"{url} serves {have + int(length):,} bytes; expected {size:,}: it is not the pinned archive")


def _append(response: http.client.HTTPResponse, part: Path, have: int, size: int, tick: Tick) -> None:
    with writing(part), part.open("ab" if have else "wb") as file:
        while have < size and (piece := _read(response)):
            file.write(piece)
            file.flush()
            have += len(piece)
            tick(have, size)


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(_PIECE)
    except _BROKEN as error:
        raise _BrokenError(str(error) or type(error).__name__) from error
