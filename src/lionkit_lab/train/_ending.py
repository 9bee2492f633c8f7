"""How a run ends badly: once, in one line, on all of its processes."""

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch.distributed import DistError

from lionkit.distributed import DivergedWorkerError, VoteError
from lionkit_lab.engine import Processes
from lionkit_lab.errors import LabError, RunError, ToldElsewhereError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LOST = ("connection closed", "connection reset", "broken pipe", "gloo", "timed out")  # gloo's words for a lost peer

_LET_TELL = 2.0  # seconds: torchrun ends all when one has ended, and the one that tells must come to its line


@contextmanager
def ending_together(processes: Processes, folder: Path) -> Iterator[None]:
    """Let one process tell of an error that ends a run, and the others end in silence.

    Raises:
        ToldElsewhereError: Another process has told, or is about to.
        RunError: The disk is full, another process has ended without a word, or one that votes has other weights.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if not processes.is_first_to_tell():
            time.sleep(_LET_TELL)
            raise ToldElsewhereError("another process of the run tells why") from error
        if isinstance(error, OSError) and error.errno in _FULL:
            kept = "the records and the last checkpoint are whole: when there is room, the same command goes on"
            raise RunError(f"{folder} cannot be written: {error.strerror}; {kept}") from error
        if isinstance(error, DivergedWorkerError):
            kept = "its checkpoints were the same on all processes when they were written: the same command goes on"
            raise RunError(f"{folder}: {error}; {kept}") from error
        if processes.count > 1 and _has_lost_another(error):
            what = f"process {processes.rank} of {processes.count} has lost another one of the run in {folder}"
            told = f": {error.absent}" if isinstance(error, VoteError) and error.ranks else ""
            raise RunError(f"{what}{told}; the same command goes on from the last checkpoint") from error
        raise


def _has_lost_another(error: BaseException) -> bool:
    if isinstance(error, LabError) or not isinstance(error, RuntimeError):
        return False
    return isinstance(error, DistError | VoteError) or any(word in str(error).lower() for word in _LOST)
