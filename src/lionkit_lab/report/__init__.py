"""What a set of runs found: tables, figures and one HTML page."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lionkit_lab.errors import UsageError
from lionkit_lab.record import Run


def write(runs: Iterable[Run], folder: Path) -> Path:
    """Write the whole report: ``figures/``, ``tables/`` and ``report.html``.

    Args:
        runs: At least one run.
        folder: Where to write; made if missing.

    Returns:
        The path of the HTML file.

    Raises:
        UsageError: ``folder`` cannot be written.
    """
    from lionkit_lab.report import figures, html, tables  # jinja2, matplotlib and plotly: only when a report is written

    runs = list(runs)
    try:
        figures.save(runs, folder / "figures")
        tables.save(runs, folder / "tables")
        return html.write(runs, folder / "report.html")
    except OSError as error:
        raise UsageError(f'output folder "{folder}" cannot be written: {error.strerror}') from error
