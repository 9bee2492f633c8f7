"""The tables: for people on a terminal, in Markdown elsewhere."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lionkit_lab.bench._result import Result, Row
from lionkit_lab.bench._targets import TARGETS

_LEGEND = """
Time and bytes are those of one parameter. moved: what the update must read and write; stream: its speed over that of
an in-place multiply; state: what is kept; extra: what a step allocates at its peak beyond that."""
_HEADINGS = ("contender", "ns", "quartiles", "times\nAdamW", "bytes\nmoved", "GB/s", "of\nstream", "state", "extra")
_TARGET_HEADINGS = ("work", "against", "at most", "measured", "reached")


class Page:
    """Where the tables are printed: standard output."""

    def __init__(self) -> None:
        self._console = Console() if sys.stdout.isatty() else None

    def head(self, run: Mapping[str, str]) -> None:
        """Print the circumstances."""
        for name, value in run.items():
            print(f"- {name}: {value or 'none'}")
        print(_LEGEND)

    def result(self, result: Result) -> None:
        """Print one case, and below it who did not take part."""
        measured = [row for row in result.rows if row.status == "measured"]
        absent = [row for row in result.rows if row.status != "measured"]
        self._title(f"{result.case.name}: {result.case}, {_rounds(measured)}")
        self._table(_HEADINGS, [_cells(row) for row in measured])
        if absent:
            print()
        for row in absent:
            print(f"- {row.contender}: {row.status}: {row.reason}")

    def note(self, line: str) -> None:
        """Print one line."""
        print(f"\n{line}")

    def targets(self, results: Sequence[Result]) -> None:
        """Print every target whose case was measured beside the figure; nothing where there is none."""
        found = [(target, value) for target in TARGETS if (value := target.measured(results)) is not None]
        if found:
            self._title("targets")
            self._table(
                _TARGET_HEADINGS,
                [
                    (it.work, it.against, f"{it.at_most:.2f}", f"{value:.3f}", "yes" if value <= it.at_most else "no")
                    for it, value in found
                ],
            )

    def _table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        if self._console is None:
            for cells in ([heading.replace("\n", " ") for heading in headings], ["---"] * len(headings), *rows):
                print("|", " | ".join(cells), "|")
            sys.stdout.flush()  # a case takes a minute, and whoever reads along in the file waits for it
            return
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        for number, heading in enumerate(headings):
            # The first wraps, so that the numbers fit into 80 columns.
            table.add_column(heading, justify="right" if number else "left", no_wrap=number > 0)
        for cells in rows:
            table.add_row(*map(Text, cells))
        self._console.print(table)

    def _title(self, title: str) -> None:
        if self._console is None:
            print(f"\n## {title}\n")
        else:
            self._console.print(Text(f"\n{title}", style="bold"))


def _rounds(rows: Sequence[Row]) -> str:
    rounds = " or ".join(map(str, sorted({row.rounds for row in rows if row.rounds})))
    groups = max(row.group or 1 for row in rows)
    return f"{rounds} rounds" + (f", in {groups} groups that fit into memory" if groups > 1 else "")


def _cells(row: Row) -> Sequence[str]:
    extra = row.extra_bytes_per_param
    return (
        row.contender,
        _three_digits(row.ns_per_param),
        f"{_three_digits(row.ns_lower)}-{_three_digits(row.ns_upper)}",
        f"{row.ratio_to_adamw:.2f}",
        f"{row.bytes_per_param:.1f}",
        f"{row.gb_per_second:.1f}",
        f"{row.share_of_streaming:.0%}",
        f"{row.state_bytes_per_param:.2f}",
        "" if extra is None else f"{extra:.2f}",
    )


def _three_digits(value: float | None) -> str:
    if not value:
        return "0"
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}"
