"""Tables as Markdown, as LaTeX and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_LATEX = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "\u2013": "--",
    "\u2020": r"$\dagger$",
    "\u2212": "$-$",
    "\u221a": r"$\surd$",
    "\u03bb": r"$\lambda$",
    "\u00b1": r"$\pm$",
    "\u2265": r"$\ge$",
    "\u00a0": "~",
}

_WRAPPED = 28  # characters: a longer text has more than one line


@dataclass(frozen=True)
class Line:
    """One row.

    Attributes:
        cells: Texts, one for each column.
        arm: The key of the arm whose it is; empty for any other.
        best: The places of the cells that are the best of their column.
    """

    cells: list[str]
    arm: str = ""
    best: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Block:
    """Rows of a table that have something in common.

    Attributes:
        title: What that is.
        headings: Of the columns; the first is of names, the others are of numbers.
        lines: The rows.
    """

    title: str
    headings: list[str]
    lines: list[Line]


@dataclass(frozen=True)
class Sheet:
    """A table to read, and the same unrounded to compute with.

    Attributes:
        key: Names its files.
        title: What it shows.
        note: How to read it, in sentences.
        blocks: The rows to read.
        headings: Of the columns of the CSV file.
        rows: Its rows; None is an empty cell.
    """

    key: str
    title: str
    note: str
    blocks: list[Block]
    headings: list[str]
    rows: list[list[Any]]

    def shares(self, block: Block) -> list[float]:
        """Return the share of a page's width for each column of a block, such that its columns stand below others'."""
        every = [cells for one in self.blocks for cells in (one.headings, *(line.cells for line in one.lines))]
        widths = [
            3 + max(min(len(cells[place]), _WRAPPED) for cells in every if place < len(cells))
            for place in range(len(block.headings))
        ]
        widths[0] += 4  # the arm's line and marker
        return [width / sum(widths) for width in widths]


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay rows out as a Markdown table; the first column holds names, the others numbers."""
    marks = ["---", *["---:"] * (len(headings) - 1)]
    lines = [headings, marks, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def markdown_sheet(sheet: Sheet) -> str:
    """Lay a sheet out as one Markdown table for each block, with its note below the last."""
    parts = [f"## {sheet.title}\n", *(_markdown_block(block) for block in sheet.blocks), sheet.note]
    return "\n".join(parts) + "\n"


def latex(sheet: Sheet) -> str:
    r"""Lay a sheet out as one LaTeX table, for which the preamble needs ``\usepackage{booktabs}``.

    Its blocks stand one below the other, each with its headings, in a size that fits a page 12 cm wide.
    """
    width = max(len(block.headings) for block in sheet.blocks)
    lines = [rf"\begin{{tabular}}{{@{{}}l{'r' * (width - 1)}@{{}}}}", r"\toprule"]
    for place, block in enumerate(sheet.blocks):
        title = rf"\multicolumn{{{width}}}{{@{{}}l}}{{{latex_text(block.title)}}} \\"
        lines += [*([r"\midrule"] if place else []), title, _latex_line(Line(block.headings)), r"\midrule"]
        lines += map(_latex_line, block.lines)
    lines += [r"\bottomrule", r"\end{tabular}"]
    below = [rf"\caption{{{latex_text(f'{sheet.title}. {sheet.note}')}}}", rf"\label{{tab:{sheet.key}}}"]
    return "\n".join([r"\begin{table}", r"\centering\footnotesize", *lines, *below, r"\end{table}"]) + "\n"


def latex_text(text: str) -> str:
    """Return a text with every sign that LaTeX would take for its own written out."""
    return "".join(_LATEX.get(sign, sign) for sign in text)


def csv_text(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Write rows below one header; None is an empty cell."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return stream.getvalue()


def _markdown_block(block: Block) -> str:
    rows = [_marked(line, line.cells, "**{}**") for line in block.lines]
    return f"**{block.title}**\n\n{markdown(block.headings, rows)}"


def _latex_line(line: Line) -> str:
    cells = [latex_text(cell) for cell in line.cells]
    return " & ".join(_marked(line, cells, r"\textbf{{{}}}")) + r" \\"


def _marked(line: Line, cells: Sequence[str], form: str) -> list[str]:
    return [form.format(cell) if place in line.best else cell for place, cell in enumerate(cells)]
