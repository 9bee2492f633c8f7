"""The tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

_LEFT = ("statement", "says", "broken", "how", "what then fails", "verdict", "shown")
_ON_THE_PAGE_ALONE = ("says", "cells", "how", "quantity")  # so that the numbers fit into 80 columns
_BAD = ("violated", "no")


def render(headings: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> Table:
    """Lay rows out; what is against the theory in red.

    Args:
        headings: One a column.
        rows: Their cells.
        title: Over the table.
    """
    table = Table(
        box=SIMPLE_HEAD, title=Text(title, style="bold"), title_justify="left", pad_edge=False, padding=(0, 1, 0, 0)
    )
    shown = [place for place, heading in enumerate(headings) if heading not in _ON_THE_PAGE_ALONE]
    for heading in (headings[place] for place in shown):
        words = heading in _LEFT
        table.add_column(heading, justify="left" if words else "right", no_wrap=not words)
    for cells in rows:
        *others, last = (cells[place] for place in shown)
        table.add_row(*map(Text, others), Text(last, style="bold red" if last.startswith(_BAD) else "green"))
    return table
