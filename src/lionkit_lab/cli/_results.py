"""The table of results."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from lionkit_lab.record import Run, find_runs
from lionkit_lab.report import table


def show_table(folders: Sequence[Path]) -> list[Run]:
    """Print the table of the runs in ``folders``, and return them."""
    runs = find_runs(folders)
    Console().print(table.render(table.summarise(runs)))
    return runs
