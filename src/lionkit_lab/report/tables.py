"""Every table of a report, and its files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lionkit_lab.record import Run
from lionkit_lab.report._comparison_sheet import comparison_sheet
from lionkit_lab.report._course_sheet import course_sheet
from lionkit_lab.report._growth import growth
from lionkit_lab.report._ratio_sheet import growth_sheet, ratio_sheet
from lionkit_lab.report._tasks import TaskRuns, group
from lionkit_lab.report._verdict_sheet import verdict_sheet
from lionkit_lab.report.comparison import compare
from lionkit_lab.report.tabular import Sheet, csv_text, latex, markdown_sheet


def sheets(tasks: Sequence[TaskRuns]) -> list[Sheet]:
    """Make the tables that the runs allow: those without a row are left out.

    Args:
        tasks: Those of a report.
    """
    found = compare(tasks)
    sizes = growth(tasks)
    every = [
        comparison_sheet(found),
        verdict_sheet(tasks, found),
        course_sheet(tasks),
        ratio_sheet(tasks),
        growth_sheet(sizes) if sizes else None,
    ]
    return [sheet for sheet in every if sheet and sheet.rows]


def save(runs: Iterable[Run], folder: Path) -> list[Path]:
    """Write every table as ``<table>.md``, ``<table>.tex`` and, unrounded, ``<table>.csv``.

    Args:
        runs: Any runs.
        folder: Where the files go; made if missing.

    Returns:
        The files written. The same runs give the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        folder / f"{sheet.key}.{suffix}": text
        for sheet in sheets(group(runs))
        for suffix, text in (
            ("md", markdown_sheet(sheet)),
            ("tex", latex(sheet)),
            ("csv", csv_text(sheet.headings, sheet.rows)),
        )
    }
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return list(texts)
