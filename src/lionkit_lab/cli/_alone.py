"""Commands that are one process."""

import os

from lionkit_lab.errors import UsageError


def refuse_several(command: str) -> None:
    """Refuse to be one of several processes.

    Args:
        command: What was started, as a user writes it.

    Raises:
        UsageError: `torchrun` has started this process beside others.
    """
    size = os.environ.get("WORLD_SIZE", "1")
    if size != "1":
        raise UsageError(f"`{command}` is one process, and WORLD_SIZE is {size}: torchrun is for `lionkit train`")
