"""Too many weights in one place."""

from typing import Any, final

from lionkit_lab.recipe import TooMany as Settings
from lionkit_lab.record import Record
from lionkit_lab.watch._alarm import Finding


@final
class TooMany:
    """Finds a share of the weights above a limit.

    Args:
        settings: The limit.
        reads: Where the share stands.
        what: What these weights do.
    """

    calm = 1

    def __init__(self, settings: Settings, reads: tuple[tuple[str, str], ...], what: str) -> None:
        self.reads = reads
        self._settings, self._what = settings, what

    def judge(self, value: float, record: Record) -> Finding | None:
        """Compare the share with the limit."""
        if value <= self._settings.share:
            return None
        return Finding(f"{value:.1%} of the weights {self._what}", value, self._settings.share)

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: every share is judged by itself."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take nothing."""
