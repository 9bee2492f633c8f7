"""The summary: one row for each task and arm, for the best learning rate tried."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from lionkit_lab.report._rows import Row as Row
from lionkit_lab.report._rows import summarise as summarise
from lionkit_lab.report.format import fraction, number, rate, seconds


@dataclass(frozen=True)
class Column:
    """One measured column: its heading, its value, how it is written and what is best.

    Attributes:
        key: Its name in HTML.
        heading: Its heading.
        value: The number to sort and compare by.
        text: The number as it is read.
        goodness: Larger is better; None where no value is better than another.
        basis: What rows must share for one to be better than another; None in a row that cannot be compared.
    """

    key: str
    heading: str
    value: Callable[[Row], float | None]
    text: Callable[[Row], str]
    goodness: Callable[[Row], float] | None = None
    basis: Callable[[Row], Hashable] = lambda r: r.task


COLUMNS = (
    Column("lr", "best lr", lambda r: r.best_lr, lambda r: rate(r.best_lr)),
    Column("tried", "runs", lambda r: r.finished, lambda r: r.tried),
    Column(
        "loss", "train loss", lambda r: r.train_loss, lambda r: number(r.train_loss), lambda r: -(r.train_loss or 0)
    ),
    Column("metric", "test", lambda r: r.metric, lambda r: r.metric_text, lambda r: _signed_metric(r)),
    Column("ratio", "r/\u221ad", lambda r: r.ratio_over_sqrt_dim, lambda r: fraction(r.ratio_over_sqrt_dim)),
    # S is another quantity at another decay, and outside the box, where it may be negative, less is not better.
    Column(
        "kkt",
        "S",
        lambda r: r.kkt_residual,
        lambda r: number(r.kkt_residual),
        lambda r: -(r.kkt_residual or 0),
        lambda r: r.residual_decay if r.in_box else None,
    ),
    Column("time", "time", lambda r: r.seconds, lambda r: seconds(r.seconds)),
)


def is_best(row: Row, column: Column, rows: Sequence[Row]) -> bool:
    """Whether a row is the best of its task in a column; never where there is nothing to compare with."""
    goodness = column.goodness
    rivals = [r for r in rows if r.task == row.task and column.value(r) is not None]
    if goodness is None or row not in rivals:
        return False
    bases = {column.basis(rival) for rival in rivals}
    if len(bases) > 1 or None in bases:
        return False
    others = [goodness(rival) for rival in rivals]
    return min(others) < max(others) == goodness(row)


def render(rows: Sequence[Row]) -> Table:
    """Lay the rows out for the terminal, best of each column in bold green.

    Args:
        rows: What ``summarise`` returned.

    Returns:
        A table that ``rich`` prints in the width there is.
    """
    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    table.caption, table.caption_style, table.caption_justify = escape(_note(rows)) or None, "", "left"
    table.add_column("\ntask", min_width=13, overflow="fold")  # wraps, so that the numbers fit into 80 columns
    table.add_column("\noptimizer", min_width=9, overflow="fold")
    for column in COLUMNS:
        heading = column.heading.replace(" ", "\n") if " " in column.heading else f"\n{column.heading}"
        table.add_column(heading, justify="right", no_wrap=True)
    for index, row in enumerate(rows):
        first = index == 0 or rows[index - 1].task != row.task
        last = index + 1 == len(rows) or rows[index + 1].task != row.task
        table.add_row(escape(row.task) if first else "", escape(row.title), *_cells(row, rows), end_section=last)
    return table


def _note(rows: Sequence[Row]) -> str:
    parts = dict.fromkeys((row.task, row.estimate) for row in rows if row.estimate)
    return "\n".join(f"{task}: train loss, r/\u221ad and S are estimates over {part}." for task, part in parts)


def _cells(row: Row, rows: Sequence[Row]) -> list[str]:
    texts = {column: column.text(row) for column in COLUMNS}
    return [f"[bold green]{text}[/]" if is_best(row, column, rows) else text for column, text in texts.items()]


def _signed_metric(row: Row) -> float:
    value = row.metric or 0.0
    return value if row.higher_is_better else -value
