"""`lionkit train`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lionkit_lab.cli._bars import Bars
from lionkit_lab.cli._errors import Debug, one_line_errors
from lionkit_lab.errors import LabError, ToldElsewhereError

if TYPE_CHECKING:
    from lionkit_lab.recipe import Recipe

Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override, as in optimizer.lr=3e-4.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Train nothing: say what the recipe needs and what is missing.")]
Processes = Annotated[int, typer.Option(min=1, help="With --dry-run: on how many the batch is divided.")]
Json = Annotated[bool, typer.Option("--json", help="With --dry-run: print it as JSON.")]
Out = Annotated[Path | None, typer.Option(help="Run folder; by default runs/NAME-HASH of the recipe.")]


def train(
    recipe: Annotated[str, typer.Argument(help="A bundled recipe's name, or a TOML file.")],
    set_: Set = None,
    out: Out = None,
    dry_run: Dry = False,
    processes: Processes = 1,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Train one recipe; the same command resumes a run that was killed.

    On several processes: `torchrun --nproc-per-node 2 -m lionkit_lab train RECIPE`.
    """
    with one_line_errors(debug):
        is_first = os.environ.get("RANK", "0") == "0"  # torchrun's; torch itself is imported later
        chosen = _load(recipe, set_ or [], is_first)
        if dry_run:
            from lionkit_lab.cli._dry_run import dry_run as say

            say(chosen, processes, json_)
            return
        folder = out or Path("runs") / f"{chosen.name}-{chosen.sha256()[:8]}"
        if is_first:
            _train_and_show(chosen, folder)
        else:
            from lionkit_lab.train import train as run

            run(chosen, folder)


def _load(recipe: str, overrides: list[str], is_first: bool) -> "Recipe":
    from lionkit_lab.recipe import load

    try:
        return load(recipe, overrides)
    except LabError as error:
        if is_first:
            raise
        raise ToldElsewhereError("the first process tells why") from error


def _train_and_show(recipe: "Recipe", folder: Path) -> None:
    from lionkit_lab.cli._results import show_table

    with Bars() as bars:
        bars.start(recipe.name)
        # After the bars are up: this import takes seconds.
        from lionkit_lab.train import train as run

        run(recipe, folder, bars)
    show_table([folder])
    print(folder)
