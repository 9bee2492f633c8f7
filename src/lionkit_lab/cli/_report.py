"""`lionkit report`."""

from pathlib import Path
from typing import Annotated

import typer

from lionkit_lab.cli._errors import Debug, one_line_errors


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, or folders with runs at any depth.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the report; by default the first of RUNS.")] = None,
    debug: Debug = False,
) -> None:
    """Write report.html, figures and tables of what runs have recorded, and print their summary."""
    with one_line_errors(debug):
        from lionkit_lab.cli._results import show_table, writable
        from lionkit_lab.report import write

        print(write(show_table(runs), writable(out or runs[0])))
