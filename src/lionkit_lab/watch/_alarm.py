"""What a watch has to say."""

from dataclasses import dataclass
from typing import Any, Literal

from lionkit_lab.recipe import WatchAction


@dataclass(frozen=True)
class Finding:
    """One value that is not as it should be.

    Attributes:
        text: What is wrong, in one line.
        value: The value.
        limit: What it should not have passed.
    """

    text: str
    value: float
    limit: float


@dataclass(frozen=True)
class Alarm:
    """A finding, and what to do about it.

    Attributes:
        name: Who raised it: the watcher's name in the recipe.
        finding: What is wrong.
        action: "warn" goes on, "skip" drops the step that was about to be taken, "stop" ends the run, "rollback" goes
            back to the last checkpoint with a smaller learning rate.
        is_new: Whether it is the first one of its episode: a person need not hear of the others.
    """

    name: str
    finding: Finding
    action: WatchAction
    is_new: bool = True

    @property
    def text(self) -> str:
        """One line for the records and for whoever looks on."""
        return self.finding.text

    @property
    def status(self) -> Literal["diverged", "stopped"]:
        """How a run ends that it stops."""
        return "diverged" if self.name == "non_finite" else "stopped"

    def values(self) -> dict[str, Any]:
        """Return the values of its record of kind "warning"."""
        found = self.finding
        return {
            "name": self.name,
            "action": self.action,
            "text": found.text,
            "value": found.value,
            "limit": found.limit,
        }
