"""`lionkit verify`."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lionkit_lab.cli._errors import Debug, one_line_errors
from lionkit_lab.errors import RunError

if TYPE_CHECKING:
    from lionkit_lab.verify import Broken, Check, Finding, Observation

Quick = Annotated[bool, typer.Option("--quick", help="Some seconds: fewer steps, dimensions and seeds.")]
Json = Annotated[bool, typer.Option("--json", help="Print everything that was measured as JSON, and no table.")]
Out = Annotated[Path, typer.Option(help="Folder of the report.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes of one thread each; 2 where there are 2 cores.")]


def verify(
    quick: Quick = False,
    json_: Json = False,
    out: Out = Path("runs/verify"),
    workers: Workers = None,
    debug: Debug = False,
) -> None:
    """Hold every theorem against runs on problems whose constants are known, and break each assumption in turn.

    Ends with exit code 1 if a statement is violated within its assumptions.
    """
    with one_line_errors(debug):
        from lionkit_lab import verify as room
        from lionkit_lab.cli._results import writable
        from lionkit_lab.verify import page, words

        started = time.monotonic()
        writable(out)  # Known before minutes of runs, not after.
        observations = _measure(quick, workers)
        findings, checks, broken = room.find(observations), room.checks(), room.broken(observations)
        path = page.write(findings, checks, broken, observations, time.monotonic() - started, out / "verify.html")
        if json_:
            print(json.dumps(words.as_json(findings, checks, broken, observations)))
        else:
            _show(findings, checks, broken, len(observations[0].samples))
            print(path)
        if not all(it.holds for it in (*findings, *checks)):
            raise RunError(words.headline(findings, checks))


def _show(findings: "list[Finding]", checks: "list[Check]", broken: "list[Broken]", seeds: int) -> None:
    from rich.console import Console

    from lionkit_lab.verify import table, words

    console = Console()
    console.print(table.render(words.HEADINGS, words.rows(findings, checks), "statements"))
    console.print(words.legend(seeds), highlight=False)
    console.print(table.render(words.BROKEN_HEADINGS, words.broken_rows(broken), "counter-examples"))
    console.print(words.headline(findings, checks), highlight=False)


def _measure(quick: bool, workers: int | None) -> "list[Observation]":
    import torch

    from lionkit_lab import verify as room
    from lionkit_lab.cli._rounds import Rounds

    torch.set_num_threads(1)  # the tensors are small, and the cores are the workers'
    effort = room.EFFORTS["quick" if quick else "full"]
    with Rounds("runs of known problems") as rounds:
        return room.measure(effort, workers or (1 if quick else room.default_workers()), rounds.tick)
