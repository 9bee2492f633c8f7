"""What a recipe compares: one entry for each run, each told apart from all others."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from lionkit_lab import settings
from lionkit_lab.recipe._optimizers import OptimizerSettings


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
            told = ", ".join(
                f"{key} = {value}" for key, value in settings.flatten(_dump(entry)).items() if key != "name"
            )
            raise ValueError(f"{entry.name} with {told} stands {count} times: each entry must differ")
    return entries


def names(entries: Sequence[OptimizerSettings]) -> list[str]:
    """Name each entry as its run's folder bears it, by what tells it apart.

    Returns:
        ``lion-lr0.001`` when no other Lion has that learning rate, else ``sgd-lr0.01-weight_decay0.1``.
    """
    return [
        _name(entry, [other for other in entries if other.lr == entry.lr], f"lr{settings.text(entry.lr)}")
        for entry in entries
    ]


def arms(entries: Sequence[OptimizerSettings]) -> dict[str, tuple[OptimizerSettings, ...]]:
    """Group the entries that differ in their learning rate alone, in the order of their first.

    Returns:
        The entries of each arm, its learning rates rising, by a name as a folder may bear it: ``lion`` when no other
        arm is a Lion, else ``sgd-weight_decay0.1``.
    """
    grouped: dict[str, list[OptimizerSettings]] = {}
    for entry in entries:
        grouped.setdefault(_name(entry, entries), []).append(entry)
    return {name: tuple(sorted(group, key=lambda entry: entry.lr)) for name, group in grouped.items()}


def _name(entry: OptimizerSettings, entries: Sequence[OptimizerSettings], *parts: str) -> str:
    told = settings.telling(settings.arm(_dump(entry)), [settings.arm(_dump(other)) for other in entries])
    # Of a setting within a setting the last key is enough, and a name needs none: "lion_k-huber-e0.01".
    keys = {key: key.rpartition(".")[2].removesuffix("name") for key in told}
    return "-".join([entry.name, *parts, *(f"{keys[key]}{value.replace(', ', '-')}" for key, value in told.items())])


def _dump(entry: OptimizerSettings) -> dict[str, Any]:
    return entry.model_dump(mode="json")
