"""Runs of the same settings, data and seed: however many there are, one counts."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from lionkit_lab.record import Run
from lionkit_lab.report._task_titles import facts
from lionkit_lab.report.arms import identity


def distinct(runs: Iterable[Run]) -> list[Run]:
    """Leave out all but one of the runs that have settings, data and seed in common.

    The one that counts has ended, if any has, and was begun last; as a copy of a run tells nothing new, it must not
    make a spread over the seeds narrower.

    Args:
        runs: Any runs.

    Returns:
        Those that count, in the order in which the first of each was given.
    """
    found: dict[Hashable, Run] = {}
    for run in runs:
        here = (tuple(sorted(facts(run).items())), identity(run), run.lr, run.seed)
        found[here] = max(found.get(here, run), run, key=_rank)
    return list(found.values())


def notice(runs: Iterable[Run]) -> str:
    """Say how many runs are left out, and which; nothing where all count."""
    runs = list(runs)
    counted = {run.folder for run in distinct(runs)}
    left = [str(run.folder) for run in runs if run.folder not in counted]
    if not left:
        return ""
    what, be = ("1 run repeats", "is") if len(left) == 1 else (f"{len(left)} runs repeat", "are")
    more = f" and {len(left) - 3} more" if len(left) > 3 else ""
    return f"{what} the settings, data and seed of another and {be} not counted: {', '.join(left[:3])}{more}"


def _rank(run: Run) -> tuple[bool, str]:
    return run.end is not None, run.manifest["created"]
