"""A thread of its own for what must happen in order, beside the backward pass."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

_PATIENCE = 5.0  # seconds


class Lane:
    """Runs what it is given one after the other, in the order in which it was given.

    All processes launch the same collectives in the same order this way, each in a lane with a process group of its
    own. A lane must be closed before the interpreter ends: Python would end its thread amid torch's C++, which aborts.
    """

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], None]) -> None:
        """Run a job after those before it; it must not raise."""
        self._jobs.put(job)

    def close(self) -> None:
        """End the thread after the jobs that it has; one that waits for a worker that is gone is given up."""
        self._jobs.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
