"""A run under torchrun, which starts all processes again when one has died; nothing of it outlives its test."""

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil

PATIENCE = 100  # seconds
PAUSE = 0.005
_MARK = "LIONKIT_TEST_RUN"
_ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


class Elastic:
    """A run under torchrun.

    Attributes:
        out: Its folder.
        said: A file with what it says on stderr.
    """

    def __init__(self, recipe: Path, out: Path, processes: int, *overrides: str, restarts: int = 0) -> None:
        self.out, self.said, self._num_processes = out, out.with_name(out.name + ".txt"), processes
        self._mark = uuid.uuid4().hex
        launcher = ["torch.distributed.run", "--nproc-per-node", str(processes), "--max-restarts", str(restarts)]
        options = [part for text in overrides for part in ("--set", text)]
        line = [sys.executable, "-m", *launcher, "-m", "lionkit_lab", "train", str(recipe), "--out", str(out), *options]
        with self.said.open("a") as said:
            marked = _ENVIRONMENT | {_MARK: self._mark}
            self._launched = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=said, env=marked)

    def life(self, before: frozenset[int] = frozenset()) -> dict[int, psutil.Process]:
        """Wait for a set of processes, by rank, none of which was there ``before``; {} where the run has ended."""
        while not self.has_ended():
            found = {it.pid: it for it in self._children() if it.pid not in before}
            ranks = {rank: it for it in found.values() if (rank := _rank(it)) is not None}
            if len(ranks) == self._num_processes:
                return ranks
            time.sleep(PAUSE)
        return {}

    def _children(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self._launched.pid).children()
        except psutil.NoSuchProcess:
            return []

    def has_ended(self) -> bool:
        return self._launched.poll() is not None

    def wait(self) -> int:
        """Wait for its end, and return torchrun's exit code; nothing of it may outlive that."""
        try:
            code = self._launched.wait(PATIENCE)
            assert not self.alive(), "processes were left behind"
        finally:
            self.kill_all()
        return code

    def alive(self) -> list[psutil.Process]:
        """Return all processes that this run has started."""
        return [it for it in psutil.process_iter() if _environment(it).get(_MARK) == self._mark]

    def kill_all(self) -> None:
        """Kill torchrun and all that it has started, as a machine does that loses its power."""
        while found := self.alive():
            for it in found:
                it.kill()
            psutil.wait_procs(found, PATIENCE)
            self._launched.poll()


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ() if is_there(process) else {}
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return {}


def is_there(process: psutil.Process) -> bool:
    """Whether a process has not ended."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _rank(process: psutil.Process) -> int | None:
    rank = _environment(process).get("RANK")
    return None if rank is None else int(rank)
