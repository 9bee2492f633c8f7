"""The report as one HTML file that needs no network."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lionkit_lab import atomic
from lionkit_lab.record import Run
from lionkit_lab.report import format as fmt
from lionkit_lab.report._captions import GROWTH, caption
from lionkit_lab.report._charts import charts
from lionkit_lab.report._growth import Growth, growth
from lionkit_lab.report._headline import headline, margin_sentence, ratio_sentence
from lionkit_lab.report._provenance import Settings, provenance, settings
from lionkit_lab.report._rows import Row, rows_of
from lionkit_lab.report._tasks import TaskRuns, final_loss, group
from lionkit_lab.report._warnings import warned
from lionkit_lab.report._words import decay_words, estimate
from lionkit_lab.report.chart import Chart
from lionkit_lab.report.page import render
from lionkit_lab.report.repeats import distinct
from lionkit_lab.report.style import ArmStyle, arms_of, styles
from lionkit_lab.report.table import COLUMNS, is_best
from lionkit_lab.report.tables import sheets


@dataclasses.dataclass(frozen=True)
class PageSection:
    """One task on the page.

    Attributes:
        task: The runs.
        rows: Its part of the summary.
        charts: Its figures.
        settings: What its runs have in common, and what tells them apart.
    """

    task: TaskRuns
    rows: list[Row]
    charts: list[Chart]
    settings: Settings


def write(runs: Iterable[Run], path: Path) -> Path:
    """Write the report.

    Args:
        runs: At least one run; unfinished and diverged ones are shown as such.
        path: The HTML file.

    Returns:
        The same path.
    """
    given = list(runs)
    runs = distinct(given)
    sections = [PageSection(task, rows_of(task), charts(task), settings(task.runs)) for task in group(runs)]
    atomic.write(path, _page(runs, sections, len(given) - len(runs)).encode())
    return path


def _page(runs: list[Run], sections: list[PageSection], repeated: int) -> str:
    rows = [row for section in sections for row in section.rows]
    tasks = [section.task for section in sections]
    looks, sizes = styles(arms_of(tasks)), growth(tasks)
    return render(
        "template.html",
        fmt=fmt,
        caption=caption,
        is_best=is_best,
        estimate=estimate,
        final_loss=final_loss,
        headline=headline(rows),
        decay_words=decay_words(tasks),
        margin_sentence=margin_sentence(rows),
        ratio_sentence=ratio_sentence(rows),
        facts=_facts(runs, sections, repeated),
        sections=sections,
        sheets={sheet.key: sheet for sheet in sheets(tasks)},
        growth=sizes,
        growth_caption=GROWTH,
        warned=warned(tasks),
        columns=COLUMNS,
        rows=rows,
        looks=looks,
        provenance=provenance(runs),
        payload=_payload(sections, sizes, looks),
    )


def _payload(sections: list[PageSection], sizes: Growth | None, looks: dict[str, ArmStyle]) -> dict[str, Any]:
    """What charts.js draws: the same charts that matplotlib draws, as plain data."""
    figures = {
        f"{section.task.slug}-{chart.key}": {**dataclasses.asdict(chart), "task": section.task.title}
        for section in sections
        for chart in section.charts
    }
    if sizes:
        figures[sizes.chart.key] = {**dataclasses.asdict(sizes.chart), "task": "all tasks"}
    return {"charts": figures, "styles": {name: dataclasses.asdict(look) for name, look in looks.items()}}


def _facts(runs: list[Run], sections: list[PageSection], repeated: int) -> list[tuple[str, str]]:
    counts = [("tasks", len(sections)), ("optimizers", len({run.optimizer for run in runs})), ("runs", len(runs))]
    failures = [(what, sum(run.status == what for run in runs)) for what in ("diverged", "stopped", "unfinished")]
    facts = [(name if n != 1 else name.rstrip("s"), str(n)) for name, n in counts]
    facts += [(name, str(n)) for name, n in [*failures, ("repeated, not counted", repeated)] if n]
    return [*facts, ("training time", fmt.seconds(sum(run.seconds for run in runs)))]
