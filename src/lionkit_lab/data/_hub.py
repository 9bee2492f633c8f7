"""Data sets by name, through the library `datasets`."""

import hashlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lionkit_lab.data._files import DataFile
from lionkit_lab.errors import RunError, UsageError

if TYPE_CHECKING:
    from datasets import Dataset

HUB_PREFIX = "datasets:"
_TEST = ("test", "validation", "val")


def load_hub(
    where: str, is_test: Callable[["Dataset"], bool] = lambda split: True
) -> tuple["Dataset", "Dataset | None", DataFile]:
    """Load the splits of ``datasets:NAME`` or ``datasets:NAME:CONFIG``.

    The library keeps what it has downloaded; ``HF_DATASETS_OFFLINE=1`` makes it use that alone.

    Args:
        where: ``datasets:NAME`` or ``datasets:NAME:CONFIG``.
        is_test: Whether a split can be the test.

    Returns:
        The training split; the test split, the first that can be it of test, validation and val, or None; and what
        identifies them.

    Raises:
        UsageError: The library is missing, or the name is empty.
        RunError: The data set cannot be loaded, as where there is no network.
    """
    name, _, config = where.removeprefix(HUB_PREFIX).partition(":")
    if not name:
        raise UsageError(f'data "{where}" is not allowed: must be {HUB_PREFIX}NAME or {HUB_PREFIX}NAME:CONFIG')
    splits = _load(name, config or None)
    if "train" not in splits:
        raise RunError(f'data set "{name}": found the splits {", ".join(splits)}; expected train')
    test = next((splits[split] for split in _TEST if split in splits and is_test(splits[split])), None)
    return splits["train"], test, _describe(name, splits)


def column(data: "Dataset", where: str, *names: str) -> str:
    """Return the first of ``names`` that is a column.

    Raises:
        UsageError: None is.
    """
    found = next((name for name in names if name in data.column_names), None)
    if found is None:
        known = ", ".join(data.column_names)
        raise UsageError(f'data "{where}": column "{names[0]}" is not there; its columns: {known}')
    return found


def _load(name: str, config: str | None) -> dict[str, Any]:
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise UsageError('package "datasets" is missing: pip install datasets') from error
    try:
        return {str(split): data for split, data in datasets.load_dataset(name, config).items()}
    except Exception as error:  # The library lets the errors of a dozen others through.
        what = str(error).partition("\n")[0] or type(error).__name__
        offline = "HF_DATASETS_OFFLINE is set: " if os.environ.get("HF_DATASETS_OFFLINE") else ""
        advice = "without a network, load it elsewhere and give the folder of its files instead of the name"
        raise RunError(f'data set "{name}" cannot be loaded: {offline}{what}; {advice}') from error


def _describe(name: str, splits: dict[str, Any]) -> DataFile:
    # The fingerprint is the library's own hash of how a split came to be.
    prints = "\n".join(f"{split} {data.num_rows} {data._fingerprint}" for split, data in splits.items())
    info = next(iter(splits.values())).info
    return DataFile(name, hashlib.sha256(prints.encode()).hexdigest(), f"datasets:{name}", info.license or "unknown")
