"""All watchers of a run together."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lionkit_lab.recipe import Recipe, WatchAction
from lionkit_lab.record import Record
from lionkit_lab.watch._alarm import Alarm, Finding
from lionkit_lab.watch._posts import posts

_STRONGEST: tuple[WatchAction, ...] = ("stop", "rollback", "skip", "warn")


class Watch:
    """Hears every record of a run, in order, and raises alarms.

    It hears of every step before it is taken, also of those that are not recorded; of one that cannot be taken,
    ``loss`` or ``grad_l2`` is not finite. What it says depends on what it has heard and on nothing else.

    Args:
        recipe: The run's.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._settings = recipe.watch
        self._posts = posts(recipe)
        self._skipped = 0
        self._rollbacks = 0

    @property
    def lr_factor(self) -> float:
        """What each rollback multiplies the learning rate by."""
        return self._settings.lr_factor

    @property
    def checks_gradients(self) -> bool:
        """Whether it wants to hear the gradient's norm before each step: it costs a pass over the gradient."""
        return self._settings.non_finite.action != "stop" or self._settings.gradient_spike.action != "off"

    def hear(self, record: Record) -> list[Alarm]:
        """Return what is wrong with a record, the strongest action first; nothing when all is well."""
        if record["kind"] == "rollback":
            self._rollbacks = record["rollbacks"]
        alarms = [alarm for post in self._posts if (alarm := post.hear(record))]
        alarms.sort(key=lambda alarm: _STRONGEST.index(alarm.action))
        if record["kind"] == "step":
            self._skipped = self._skipped + 1 if _asks_for(alarms, "skip") else 0
        return [self._feasible(alarm, record) for alarm in alarms]

    def _feasible(self, alarm: Alarm, record: Record) -> Alarm:
        """Return the alarm, with "stop" for what cannot be done, or has been done often enough."""
        if alarm.action == "skip" and record["kind"] != "step":
            return _given_up(alarm, "no step can be skipped for it")
        if alarm.action == "skip" and self._skipped > self._settings.skips:
            return _given_up(alarm, f"{self._settings.skips} steps in a row were skipped")
        if alarm.action == "rollback" and not record["step"]:
            return _given_up(alarm, "there is no checkpoint yet")
        if alarm.action == "rollback" and self._rollbacks >= self._settings.rollbacks:
            return _given_up(alarm, f"{self._rollbacks} rollbacks have not helped")
        return alarm

    def state_dict(self) -> dict[str, Any]:
        """Return what the coming alarms depend on: numbers, strings and containers of them."""
        return {"posts": {post.name: post.state_dict() for post in self._posts}, "skipped": self._skipped}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict()``; the number of rollbacks comes with the records of them."""
        for post in self._posts:
            if (known := state["posts"].get(post.name)) is not None:  # A version without it may have written this.
                post.load_state_dict(known)
        self._skipped = state["skipped"]


def _asks_for(alarms: Sequence[Alarm], action: WatchAction) -> bool:
    """Say whether it is what will be done."""
    return bool(alarms) and alarms[0].action == action


def _given_up(alarm: Alarm, why: str) -> Alarm:
    found = alarm.finding
    return replace(alarm, action="stop", finding=Finding(f"{found.text}; {why}", found.value, found.limit))
