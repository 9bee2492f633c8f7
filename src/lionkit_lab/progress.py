"""How a run tells what it does, without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """Hears of a run as it goes on."""

    def begin(self, done: int, total: int) -> None:
        """Hear that the run stands at step ``done`` of ``total``."""

    def step(self, done: int, loss: float) -> None:
        """Hear that step ``done`` is over, and the loss of its minibatch in nats."""

    def note(self, message: str) -> None:
        """Hear a line that a person should read."""


class Silent:
    """Does not listen."""

    def begin(self, done: int, total: int) -> None:
        """Ignore it."""

    def step(self, done: int, loss: float) -> None:
        """Ignore it."""

    def note(self, message: str) -> None:
        """Ignore it."""
