"""`lionkit bench`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lionkit_lab.cli._errors import Debug, one_line_errors
from lionkit_lab.errors import RunError, UsageError

if TYPE_CHECKING:
    from lionkit_lab.bench import Case, Effort, Page, Record, Result

Quick = Annotated[bool, typer.Option("--quick", help="Under a minute: the main cases, without the slow peers.")]
Full = Annotated[bool, typer.Option("--full", help="Half an hour: every dtype, and every size from 1e4 to 2e8.")]
Cases = Annotated[
    list[str] | None,
    typer.Option("--case", metavar="NAME", help="Only this case; also any such as bfloat16,10x4096. Repeatable."),
]
Only = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Only contenders with this in their names, and the baseline. Repeatable."),
]
Csv = Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Append the numbers there.")]
Figure = Annotated[Path | None, typer.Option(metavar="FILE", help="Draw them there: .png, .svg or .pdf.")]
Threads = Annotated[int | None, typer.Option(min=1, metavar="N", help="Of torch; by default its own choice.")]


class _InterruptedError(RunError):
    exit_code = 130  # 128 + SIGINT, as shells have it


def bench(
    quick: Quick = False,
    full: Full = False,
    case: Cases = None,
    only: Only = None,
    csv: Csv = None,
    figure: Figure = None,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Time an optimizer's step beside its peers', in interleaved rounds, on this CPU.

    Without options: the main cases, in a few minutes. Piped into a file, the tables are Markdown.
    """
    with one_line_errors(debug):
        if quick and full:
            raise UsageError("--quick and --full exclude each other")
        import torch

        from lionkit_lab import bench as room

        effort = room.EFFORTS["quick" if quick else "full" if full else "default"]
        cases = room.find_cases(case or effort.cases)
        names = room.choose(only or (), effort.peers)
        if figure:
            room.check_figure(figure)
        torch.set_num_threads(threads or torch.get_num_threads())
        run = room.circumstances(names)
        record = room.Record(csv, run) if csv else None
        page = room.Page()
        page.head(run)
        results = list(_results(cases, names, effort, page, record))
        page.targets(results)
        if figure:
            room.save(results, figure)


def _results(
    cases: list["Case"], names: list[str], effort: "Effort", page: "Page", record: "Record | None"
) -> Iterator["Result"]:
    """Measure one case after the other, and print and record each when it is there."""
    from lionkit_lab.bench import measure
    from lionkit_lab.cli._rounds import Rounds

    measured = 0
    for case in cases:
        try:
            with Rounds(f"{case.name}: {case}") as rounds:
                result = measure(case, names, effort, rounds.tick)
        except RunError as error:
            page.note(f"{case.name}: {case}: left out: {error}")
            continue
        except KeyboardInterrupt:
            raise _InterruptedError(f"interrupted in case {case.name}, after {measured} of {len(cases)}") from None
        page.result(result)
        if record:
            record.append(result)
        measured += 1
        yield result
    if not measured:
        raise RunError("no case could be measured")
