"""The ways that a run goes on otherwise than by the next step."""

from lionkit_lab.record import Record


class Skip(Exception):  # noqa: N818 (no error, but a way on)
    """A step is not taken.

    Args:
        record: What would have been recorded of it.
    """

    def __init__(self, record: Record) -> None:
        super().__init__()
        self.record = record


class Rollback(Exception):  # noqa: N818 (no error, but the way back)
    """The run goes back to its last checkpoint."""
