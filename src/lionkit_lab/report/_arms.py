"""Arms: an optimizer with all its settings but the learning rate, which is tuned within each arm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lionkit_lab.record import Run
from lionkit_lab.report._flatten import flatten, varied
from lionkit_lab.report._optimizers import optimizer_order, optimizer_title
from lionkit_lab.report._slug import slugs

Identity = tuple[tuple[str, str], ...]
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
    return tuple(sorted(_settings(run).items()))


def find_arms(runs: Iterable[Run]) -> dict[Identity, Arm]:
    """Find the arms of a report.

    Args:
        runs: Every run of the report: an arm has one title in all its tasks.

    Returns:
        The arms by identity, Lion first, and those of one optimizer by title.
    """
    settings = {identity(run): _settings(run) for run in runs}
    titles = {here: _title(found, settings.values()) for here, found in settings.items()}
    order = sorted(titles, key=lambda here: (optimizer_order(settings[here]["name"]), titles[here]))
    keys = slugs((titles[here] for here in order), "arm")
    return {here: Arm(key, settings[here]["name"], titles[here]) for here, key in zip(order, keys, strict=True)}


def _settings(run: Run) -> dict[str, str]:
    settings = flatten(run.manifest["recipe"]["optimizer"])
    return {key: value for key, value in settings.items() if key != "lr"}


def _title(settings: dict[str, str], every: Iterable[dict[str, str]]) -> str:
    rivals = [other for other in every if other["name"] == settings["name"]]
    told = [_setting(key, settings[key]) for key in varied(rivals) if key in settings]
    return ", ".join([optimizer_title(settings["name"]), *told])


def _setting(key: str, value: str) -> str:
    return f"{_SHORT.get(key, key.replace('_', ' '))} {f'({value})' if ', ' in value else value}"
