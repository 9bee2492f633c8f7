"""Runs grouped by the task they were trained on."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lionkit_lab.record import Run
from lionkit_lab.record._read import OPTIMIZER_TITLES, Record


@dataclass(frozen=True)
class Task:
    """Every run of one task.

    Attributes:
        slug: A name that is safe in file names and HTML ids, unique in a report.
        title: What people call it, unique in a report.
        info: The manifest's description of the task.
        runs: Its runs, ordered by optimizer, then learning rate.
    """

    slug: str
    title: str
    info: Record
    runs: tuple[Run, ...]

    @property
    def optimizers(self) -> list[str]:
        """The optimizers tried on this task, Lion first."""
        return list(dict.fromkeys(run.optimizer for run in self.runs))

    def runs_of(self, optimizer: str) -> list[Run]:
        """The runs of one optimizer, by rising learning rate."""
        return [run for run in self.runs if run.optimizer == optimizer]

    def best(self, optimizer: str) -> Run | None:
        """The finished run with the lowest final training loss, if any run finished with a finite one."""
        losses = [(final_loss(run), run) for run in self.runs_of(optimizer) if run.status == "finished"]
        finite = [(loss, run) for loss, run in losses if loss is not None]
        return min(finite, key=lambda pair: pair[0])[1] if finite else None

    def shown(self, optimizer: str) -> Run:
        """The run that stands for an optimizer in the charts: its best, or else the one that got furthest."""
        return self.best(optimizer) or max(self.runs_of(optimizer), key=lambda run: (len(run.logs), -run.lr))


def group(runs: Iterable[Run]) -> list[Task]:
    """Group runs into tasks; two models on the same data are two tasks.

    Args:
        runs: Any runs, in any order.

    Returns:
        The tasks, in the order in which they first appear.
    """
    tasks: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        tasks.setdefault((run.task["name"], run.task["model"]), []).append(run)
    names = Counter(name for name, _ in tasks)
    slugs: list[str] = []
    for name, _ in tasks:
        slugs.append(_unique_slug(name, slugs))
    titles = [_title(found[0].task, alone=names[name] == 1) for (name, _), found in tasks.items()]
    parts = zip(slugs, titles, tasks.values(), strict=True)
    return [Task(slug, title, found[0].task, _sorted(found)) for slug, title, found in parts]


def final_loss(run: Run) -> float | None:
    """The full training loss at the last logging epoch, or None where there is none or it is not finite."""
    loss = run.logs[-1]["train_loss"] if run.logs else math.nan
    return loss if math.isfinite(loss) else None


def optimizer_order(name: str) -> tuple[int, str]:
    """Sort key: Lion, then the other known optimizers, then the rest by name."""
    known = list(OPTIMIZER_TITLES)
    return (known.index(name) if name in known else len(known), name)


def _title(info: Record, *, alone: bool) -> str:
    return info["title"] if alone else f"{info['title']}, {info['model']}"


def _sorted(runs: Sequence[Run]) -> tuple[Run, ...]:
    return tuple(sorted(runs, key=lambda run: (optimizer_order(run.optimizer), run.lr)))


def _unique_slug(name: str, taken: Sequence[str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "task"
    number = 2
    unique = slug
    while unique in taken:
        unique, number = f"{slug}-{number}", number + 1
    return unique
