"""One watcher at work: what it finds, and what is news."""

from typing import Any

from lionkit_lab.recipe import WatchAction
from lionkit_lab.record import Record
from lionkit_lab.watch._alarm import Alarm
from lionkit_lab.watch._watcher import Watcher


class Post:
    """A watcher under its name, with what it has to do.

    An episode begins with a finding and ends after so many good values as the watcher calls calm. A warning is given
    once an episode; whatever else is to be done is done at each finding.

    Args:
        name: Of the watcher, in the recipe.
        watcher: Who judges.
        action: What a finding asks for.
    """

    def __init__(self, name: str, watcher: Watcher, action: WatchAction) -> None:
        self.name = name
        self._watcher = watcher
        self._action: WatchAction = action
        self._is_open, self._good = False, 0

    def hear(self, record: Record) -> Alarm | None:
        """Judge what of the record is this watcher's."""
        alarms = [alarm for value in self._values(record) if (alarm := self._judge(value, record))]
        return alarms[0] if alarms else None

    def _values(self, record: Record) -> list[float]:
        return [record[key] for kind, key in self._watcher.reads if record["kind"] == kind and key in record]

    def _judge(self, value: float, record: Record) -> Alarm | None:
        finding = self._watcher.judge(value, record)
        if finding is None:
            self._good += 1
            self._is_open = self._is_open and self._good < self._watcher.calm
            return None
        is_new, self._is_open, self._good = not self._is_open, True, 0
        return Alarm(self.name, finding, self._action, is_new) if is_new or self._action != "warn" else None

    def state_dict(self) -> dict[str, Any]:
        """Return the watcher's state and the episode's."""
        return {"watcher": self._watcher.state_dict(), "is_open": self._is_open, "good": self._good}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict()``."""
        self._watcher.load_state_dict(state["watcher"])
        self._is_open, self._good = state["is_open"], state["good"]
