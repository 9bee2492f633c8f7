"""The table of a sweep: for the terminal, as Markdown and as CSV."""

import csv
import io
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from lionkit_lab.report.format import NOTHING, is_share, number, percent, rate
from lionkit_lab.statistics import Spread, t_test
from lionkit_lab.sweep._rows import Row

EDGE = "edge of the grid"


class Column(NamedTuple):
    """A heading, and what stands under it."""

    heading: str
    text: Callable[[Row], str]


COLUMNS = (
    Column("arm", lambda row: row.arm),
    Column("best lr", lambda row: _best_lr(row)),
    Column("lrs", lambda row: _tried(row)),
    Column("seeds", lambda row: str(len(row.seeds))),
    Column("train loss", lambda row: number(row.train_loss.mean) if row.train_loss else "diverged"),
    Column("sd", lambda row: _sd(row.train_loss)),
    Column("95 %", lambda row: _interval(row.train_loss)),
    Column("test", lambda row: _metric(row)),
    Column("minus Lion, paired, 95 %", lambda row: _difference(row)),
    Column("ms, optimizer", lambda row: _short(row.optimizer_ms)),
    Column("ms, step", lambda row: _short(row.step_ms)),
    Column("state, bytes a parameter", lambda row: _short(row.state_bytes)),
)


def render(rows: Sequence[Row]) -> list[Table]:
    """Lay out one table for each recipe, for the terminal."""
    tables = []
    for title, group in _by_recipe(rows):
        table = Table(title=title, box=SIMPLE_HEAD, title_justify="left", pad_edge=False, padding=(0, 1, 0, 0))
        for place, column in enumerate(COLUMNS):
            table.add_column(column.heading, justify="right" if place else "left", overflow="fold")
        for row in group:
            table.add_row(*(escape(column.text(row)) for column in COLUMNS))
        tables.append(table)
    return tables


def markdown(rows: Sequence[Row]) -> str:
    """Write one table for each recipe, below its title."""
    head = [_line(column.heading for column in COLUMNS), "|" + "---|" * len(COLUMNS)]
    parts = [
        "\n".join([f"{title}\n", *head, *(_line(column.text(row) for column in COLUMNS) for row in group)])
        for title, group in _by_recipe(rows)
    ]
    return "\n\n".join(parts) + "\n"


def as_csv(rows: Sequence[Row]) -> str:
    """Write every row with its numbers unrounded, below one header; values by seed are separated by spaces."""
    stream = io.StringIO()
    records = [as_record(row) for row in rows]
    writer = csv.DictWriter(stream, records[0], lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({key: " ".join(map(str, it)) if isinstance(it, list) else it for key, it in record.items()})
    return stream.getvalue()


def as_record(row: Row) -> dict[str, Any]:
    """Return the numbers of a row, flat, by names that say what they are."""
    test = t_test(row.difference) if row.difference else None
    return {
        "recipe": row.recipe,
        "arm": row.arm,
        "optimizer": row.optimizer,
        "best_lr": row.best_lr,
        "edge_of_the_grid": row.edge,
        "lrs": list(row.lrs),
        "diverged_lrs": list(row.diverged),
        "seeds": list(row.seeds),
        **_numbers("train_loss", row.train_loss),
        "metric": row.metric_key,
        **_numbers("test", row.metric),
        **_numbers("minus_lion", row.difference),
        "minus_lion_p": test.p if test else None,
        "optimizer_ms": row.optimizer_ms,
        "step_ms": row.step_ms,
        "state_bytes_a_parameter": row.state_bytes,
    }


def _numbers(name: str, spread: Spread | None) -> dict[str, Any]:
    interval = spread.interval if spread else None
    return {
        name: spread.mean if spread else None,
        f"{name}_sd": spread.sd if spread else None,
        f"{name}_low": interval.low if interval else None,
        f"{name}_high": interval.high if interval else None,
        f"{name}_by_seed": list(spread.values) if spread else [],
    }


def _by_recipe(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    groups = [list(group) for _, group in groupby(rows, key=lambda row: row.recipe)]
    return [(f"{group[0].recipe} (test: {group[0].metric_label})", group) for group in groups]


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _best_lr(row: Row) -> str:
    return f"{rate(row.best_lr)} ({EDGE})" if row.edge else rate(row.best_lr)


def _tried(row: Row) -> str:
    return f"{len(row.lrs)}, {len(row.diverged)} diverged" if row.diverged else str(len(row.lrs))


def _sd(spread: Spread | None) -> str:
    return number(spread.sd if spread else None)


def _interval(spread: Spread | None) -> str:
    found = spread.interval if spread else None
    return f"[{number(found.low)}, {number(found.high)}]" if found else NOTHING


def _metric(row: Row) -> str:
    if row.metric is None:
        return NOTHING
    shown = percent if is_share(row.metric_key) else number
    return shown(row.metric.mean) + (f" (sd {shown(row.metric.sd)})" if row.metric.sd is not None else "")


def _difference(row: Row) -> str:
    if row.difference is None:
        return ""
    found = row.difference.interval
    text = f"{row.difference.mean:+.4f}"
    return f"{text} [{found.low:+.4f}, {found.high:+.4f}]" if found else text


def _short(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3g}"
