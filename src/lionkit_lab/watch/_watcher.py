"""What all watchers have in common."""

from typing import Any, Protocol

from lionkit_lab.record import Record
from lionkit_lab.watch._alarm import Finding


class Watcher(Protocol):
    """Judges one quantity of the records, in the order in which they come."""

    reads: tuple[tuple[str, str], ...]
    """Where it finds its quantity: kinds of records, and keys in them."""
    calm: int
    """After how many good values an episode is over, and the next bad one is news; at least 1."""

    def judge(self, value: float, record: Record) -> Finding | None:
        """Take the next value in, and say what is wrong with it.

        Args:
            value: The quantity.
            record: Where it stands.

        Returns:
            A finding, or None where all is well.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return what the coming judgements depend on: numbers and lists of them."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict()``."""
        ...
