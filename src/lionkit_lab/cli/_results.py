"""The table of results, and the folder where they go."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from lionkit_lab.errors import UsageError
from lionkit_lab.record import Run, find_runs
from lionkit_lab.report import table
from lionkit_lab.report.repeats import notice


def show_table(folders: Sequence[Path]) -> list[Run]:
    """Print the table of the runs in ``folders``, and a line about those that repeat another; return them all."""
    runs = find_runs(folders)
    Console().print(table.render(table.summarise(runs)))
    if line := notice(runs):
        Console(stderr=True).print(line, markup=False, highlight=False, soft_wrap=True)
    return runs


def writable(folder: Path) -> Path:
    """Return ``folder``, made if it is not there.

    Raises:
        UsageError: It cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UsageError(f"output folder {folder} cannot be written: {error.strerror}") from error
    return folder
