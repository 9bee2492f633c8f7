"""How reading or writing a checkpoint fails: in one line, and with nothing left over."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from torch.distributed.checkpoint.api import CheckpointException

from lionkit_lab.errors import RunError


@contextmanager
def failing_well(folder: Path, step: int, temporary: Path, *more: type[Exception]) -> Iterator[None]:
    """Say in one line why a checkpoint was not written, and how to go on; leave nothing of it.

    What it goes around must not wait for other processes by itself where ``more`` has RuntimeError: a peer that is
    lost is one too, and no full disk.

    Args:
        folder: The run folder.
        step: Steps done.
        temporary: The file or folder that is being written.
        more: Errors of the writing besides the system's and the formats' own.

    Raises:
        RunError: It was not written.
    """
    try:
        yield
    except (OSError, SafetensorError, CheckpointException, *more) as error:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)
        what = f"checkpoint at step {step} of {folder} could not be written: {reason(error)}"
        kept = "the records and the checkpoint before it are whole"
        raise RunError(f"{what}; {kept}: when there is room, the same command goes on") from error


def reason(error: BaseException) -> str:
    """Return the system's own words where there are any: torch's readers and writers wrap them."""
    if isinstance(error, CheckpointException):
        error = next(iter(error.failures.values()))[0]
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror
        seen = seen.__cause__ or seen.__context__
    return str(error).partition("\n")[0]
