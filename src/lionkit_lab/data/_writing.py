"""Errors of writing, as one line with the way to go on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lionkit_lab.errors import RunError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Write ``path`` in this block.

    Raises:
        RunError: The disk is full, or the path cannot be written for another reason.
    """
    try:
        yield
    except OSError as error:
        advice = "mend that and run the same command again: it goes on from here"
        raise RunError(f"{path} cannot be written: {error.strerror}; {advice}") from error
