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
        least_lr: The learning rate below which nothing is said: what stands still at the end of the annealing is meant
            to.
    """

    calm = 1

    def __init__(
        self, settings: Settings, reads: tuple[tuple[str, str], ...], what: str, least_lr: float = 0.0
    ) -> None:
        self.reads = reads
        self._settings, self._what, self._least_lr = settings, what, least_lr

    def judge(self, value: float, record: Record) -> Finding | None:
        """Compare the share with the limit."""
        if value <= self._settings.share or record.get("lr", self._least_lr) < self._least_lr:
            return None
        return Finding(f"{value:.1%} of the weights {self._what}", value, self._settings.share)

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: every share is judged by itself."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take nothing."""
