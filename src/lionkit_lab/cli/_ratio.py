"""`lionkit ratio`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lionkit_lab.cli._errors import Debug, one_line_errors

if TYPE_CHECKING:
    from lionkit_lab.ratio import Case, Row

Seeds = Annotated[int, typer.Option(min=1, help="Seeds of each small network; those of full size have one.")]
Full = Annotated[
    bool, typer.Option("--full", help="Also the paper's networks at full size: minutes, and 12 GB of memory.")
]
Only = Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this network; may be repeated.")]
Runs = Annotated[
    list[Path] | None, typer.Option(metavar="FOLDER", help="Also curves through training, from finished runs.")
]
Out = Annotated[Path, typer.Option(help="Folder of the measurements, table, figures and CSV.")]


def ratio(
    seeds: Seeds = 3,
    full: Full = False,
    only: Only = None,
    runs: Runs = None,
    out: Out = Path("runs/ratio"),
    debug: Debug = False,
) -> None:
    """Measure the norm ratio of the full gradient against the number of weights, and fit its growth.

    Twenty networks of five architectures at initialisation, on data that ship with lionkit. What is measured is kept
    in OUT: the same command goes on where it was stopped.
    """
    with one_line_errors(debug):
        from lionkit_lab import ratio as room
        from lionkit_lab.cli._results import writable
        from lionkit_lab.record import find_runs

        cases = room.find_cases(only or (), full=full)
        found = room.curves(find_runs(runs)) if runs else []  # Known before minutes of measurements, not after.
        rows = _measure(cases, seeds, writable(out))
        files = [*room.save_figures(rows, found, out), *room.save_csv(rows, found, out)]
        text = room.page(rows, found)
        (out / "ratio.md").write_text(text, encoding="utf-8")
        _show(text)
        print(*files, out / "ratio.md", sep="\n")


def _measure(cases: "Sequence[Case]", seeds: int, out: Path) -> "list[Row]":
    from lionkit_lab import ratio as room
    from lionkit_lab.cli._rounds import Rounds

    wanted = [(case, seed) for case in cases for seed in range(1 if case in room.FULL_SIZE else seeds)]
    measured = []
    with room.Ledger(out / "measurements.jsonl") as ledger, Rounds("networks and seeds") as rounds:
        for place, (case, seed) in enumerate(wanted):
            rounds.tick(place, len(wanted))
            one = ledger.find(case, seed)
            if one is None:
                one = room.measure(case, seed)
                ledger.append(one)
            measured.append((case, one))
    return room.summarise(measured)


def _show(text: str) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    console.print(Markdown(text)) if console.is_terminal else print(text)
