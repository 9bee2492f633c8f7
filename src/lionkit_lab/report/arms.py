"""The arms of a report, and how they are called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lionkit_lab import settings
from lionkit_lab.record import Run
from lionkit_lab.report._optimizers import optimizer_order, optimizer_title
from lionkit_lab.report._slug import slugs
from lionkit_lab.settings import Identity

_SHORT = {"weight_decay": "decay"}


@dataclass(frozen=True)
class Arm:
    """What the report compares.

    Attributes:
        key: A name that is safe in HTML, unique in a report.
        optimizer: The optimizer's name in the recipe.
        title: ``SGD``; where the report has several arms of it, with what tells them apart: ``SGD, decay 0.1``.
    """

    key: str
    optimizer: str
    title: str


def identity(run: Run) -> Identity:
    """What the runs of one arm have in common."""
    return settings.identity(run.manifest["recipe"]["optimizer"])


def find_arms(runs: Iterable[Run]) -> dict[Identity, Arm]:
    """Find the arms of a report.

    Args:
        runs: Every run of the report: an arm has one title in all its tasks.

    Returns:
        The arms by identity, Lion first, and those of one optimizer by title.
    """
    found = {identity(run): settings.arm(run.manifest["recipe"]["optimizer"]) for run in runs}
    titles = {here: _title(one, found.values()) for here, one in found.items()}
    order = sorted(titles, key=lambda here: (optimizer_order(found[here]["name"]), titles[here]))
    keys = slugs((titles[here] for here in order), "arm")
    return {here: Arm(key, found[here]["name"], titles[here]) for here, key in zip(order, keys, strict=True)}


def _title(one: dict[str, str], every: Iterable[dict[str, str]]) -> str:
    told = [_setting(key, value) for key, value in settings.telling(one, every).items()]
    return ", ".join([optimizer_title(one["name"]), *told])


def _setting(key: str, value: str) -> str:
    return f"{_SHORT.get(key, key.replace('_', ' '))} {f'({value})' if ', ' in value else value}"
