"""What the runs warned of, each warning once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lionkit_lab.record import Record, Run
from lionkit_lab.report._tasks import TaskRuns


@dataclass(frozen=True)
class Warned:
    """A warning of one run.

    Attributes:
        text: What it says, the first time.
        action: What was done about it; empty where it is not recorded.
        step: Where it was given first.
        last: Where it was given last.
        times: How often.
    """

    text: str
    action: str
    step: int
    last: int
    times: int


def warned(tasks: Iterable[TaskRuns]) -> list[tuple[str, str, Warned]]:
    """List the warnings of a report, those of a run in the order of their first steps.

    Args:
        tasks: The report's.

    Returns:
        The task's title, what the run is called, and the warning.
    """
    return [
        (task.title, f"{arm.arm.title}, lr {run.lr:g}, seed {run.seed}", one)
        for task in tasks
        for arm in task.arms
        for run in arm.runs
        for one in _of(run)
    ]


def _of(run: Run) -> list[Warned]:
    """Those of one name and action together, as their texts tell values."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in run.warnings:
        groups.setdefault((record.get("name", record["text"]), record.get("action", "")), []).append(record)
    return [
        Warned(found[0]["text"], action, found[0]["step"], found[-1]["step"], len(found))
        for (_, action), found in groups.items()
    ]
