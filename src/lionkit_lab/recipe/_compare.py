"""What a recipe compares: one entry for each run, each told apart from all others."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from lionkit_lab.recipe._sections import OptimizerSettings


def one_entry_per_lr(tables: Any) -> Any:
    """Expand each table with ``lrs = [a, b]`` into one table with ``lr = a`` and one with ``lr = b``."""
    if not isinstance(tables, list | tuple) or not all(isinstance(table, dict) for table in tables):
        raise ValueError("must be a list of tables, [[compare]]")
    expanded = []
    for table in tables:
        lrs = table.get("lrs")
        if lrs is not None and not (isinstance(lrs, list) and lrs):
            raise ValueError(f"lrs = {lrs} is not allowed: must be a list of learning rates")
        rest = {key: value for key, value in table.items() if key != "lrs"}
        expanded += [rest | {"lr": lr} for lr in lrs] if lrs else [rest]
    return expanded


def all_different(entries: tuple[OptimizerSettings, ...]) -> tuple[OptimizerSettings, ...]:
    """Refuse an entry that stands twice: its two runs would be one."""
    for entry, count in Counter(entries).items():
        if count > 1:
            settings = ", ".join(f"{key} = {_shown(value)}" for key, value in entry if key != "name")
            raise ValueError(f"{entry.name} with {settings} stands {count} times: each entry must differ")
    return entries


def names(entries: Sequence[OptimizerSettings]) -> list[str]:
    """Name each entry as its run's folder bears it, by what tells it apart.

    Returns:
        ``lion-lr0.001`` when no other Lion has that learning rate, else ``sgd-lr0.01-weight_decay0.1``.
    """
    return [_name(entry, entries) for entry in entries]


def _name(entry: OptimizerSettings, entries: Sequence[OptimizerSettings]) -> str:
    alike = [other for other in entries if (other.name, other.lr) == (entry.name, entry.lr)]
    settings = entry.model_dump(exclude={"name", "lr"})
    telling = [key for key, value in settings.items() if any(getattr(other, key) != value for other in alike)]
    parts = [f"lr{_shown(entry.lr)}", *(f"{key}{_shown(settings[key])}" for key in telling)]
    return "-".join([entry.name, *parts])


def _shown(value: Any) -> str:
    """Return the value as shortly as can be, yet so that two that differ are shown otherwise."""
    if isinstance(value, tuple):
        return "-".join(map(_shown, value))
    short = f"{value:g}" if isinstance(value, float) else str(value)
    return short if not isinstance(value, float) or float(short) == value else repr(value)
