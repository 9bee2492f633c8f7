"""The processes of one run: who they are, and how they agree."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from accelerate import PartialState
from torch import Tensor
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.rendezvous import rendezvous

from lionkit_lab.errors import LabError, RunError, UsageError

T = TypeVar("T")

_SETTINGS = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # what torchrun gives each process
# What the first process does alone, as tokenising, may take hours. Nobody waits so long for a process that ended: its
# connections close with it.
_PATIENCE = timedelta(days=1)


class Processes:
    """This process among those of its run; alone unless `torchrun` started it.

    Attributes:
        rank: Its number, in [0, ``count``).
        count: How many there are, at least 1.
        device: Its own: a GPU, or the CPU where there is none.

    Raises:
        UsageError: The environment speaks of several processes, and does not say how to meet them.
        RunError: They have not met, as one has ended before.
    """

    def __init__(self) -> None:
        _check_environment()
        state = _met()
        self.rank: int = state.process_index
        self.count: int = state.num_processes
        self.device: torch.device = state.device

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.rank == 0

    def on_first(self, work: Callable[[], T]) -> T:
        """Let the first process do it; all return what it returned, or raise what it raised."""
        if self.count == 1:
            return work()
        outcome: list[Any] = [_attempt(work) if self.is_first else None]
        dist.broadcast_object_list(outcome, src=0)
        value, error = outcome[0]
        if error is not None:
            raise error
        return value

    def together(self, work: Callable[[], T]) -> T:
        """Let each do it; when one fails, all raise what the first of those raised."""
        if self.count == 1:
            return work()
        value, error = _attempt(work)
        if found := next(filter(None, self.gather(error)), None):
            raise found
        return value

    def gather(self, value: T) -> list[T]:
        """Return every process's value, by rank."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        dist.all_gather_object(values, value)
        return values

    def sum(self, tensor: Tensor) -> Tensor:
        """Add up the processes' tensors, in place, and return theirs."""
        if self.count > 1:
            dist.all_reduce(tensor)
        return tensor

    def is_first_to_tell(self) -> bool:
        """Whether no other process has told of an error yet; afterwards one has."""
        if self.count == 1:
            return True
        try:
            # There is no public way to the store that the processes met at.
            return dist.distributed_c10d._get_default_store().add("lionkit/told", 1) == 1
        except RuntimeError:
            return self.is_first  # The store has ended with what started the processes.


def _check_environment() -> None:
    size = os.environ.get("WORLD_SIZE", "1")
    missing = [name for name in _SETTINGS if name not in os.environ]
    if size != "1" and (missing or not size.isdecimal()):
        found = (
            f"WORLD_SIZE={size} is set, and {', '.join(missing)} not" if missing else f"WORLD_SIZE={size} is no number"
        )
        start = "`torchrun --nproc-per-node N -m lionkit_lab train RECIPE`"
        raise UsageError(f"{found}: start several processes by {start}, or unset it for one")


def _met() -> Any:
    try:
        return PartialState(cpu=not torch.cuda.is_available(), timeout=_PATIENCE, **_after_a_restart())
    except RuntimeError as error:  # of the store or of gloo
        if os.environ.get("WORLD_SIZE", "1") == "1":
            raise
        raise RunError(f"the processes of the run have not met: {str(error).partition(chr(10))[0]}") from error


def _after_a_restart() -> dict[str, Any]:
    """Return where to meet when torchrun has started the processes again, and nothing else where it has not.

    torch 2.13 has them meet at the store of those before, and they would call at addresses where nobody is any more;
    to go when a restart has a store of its own. Several machines count their restarts apart (pytorch issue 135712), and
    meet as torch has it.
    """
    restarts = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    if restarts == "0" or os.environ.get("GROUP_WORLD_SIZE") != "1" or dist.is_initialized():
        return {}
    store, rank, size = next(rendezvous("env://", timeout=_PATIENCE))
    return {"store": dist.PrefixStore(f"restart {restarts}", store), "rank": rank, "world_size": size}


def _attempt(work: Callable[[], T]) -> tuple[Any, Exception | None]:
    """Return the value and no error, or None and an error that another process can be sent."""
    try:
        return work(), None
    except (LabError, OSError) as error:
        return None, error
    # torch's CheckpointException is no Exception.
    except (Exception, CheckpointException) as error:  # Whatever it is, the others must not wait for this process.
        return None, RunError(f"{type(error).__name__}: {error}")
