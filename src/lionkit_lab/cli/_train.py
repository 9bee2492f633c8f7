"""`lionkit train`."""

from pathlib import Path
from typing import Annotated

import typer

from lionkit_lab.cli._bars import Bars
from lionkit_lab.cli._errors import Debug, one_line_errors

Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override, as in optimizer.lr=3e-4.")]
Out = Annotated[Path | None, typer.Option(help="Run folder; by default runs/NAME-HASH of the recipe.")]


def train(
    recipe: Annotated[str, typer.Argument(help="A bundled recipe's name, or a TOML file.")],
    set_: Set = None,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Train one recipe; the same command resumes a run that was killed."""
    with one_line_errors(debug):
        from lionkit_lab.cli._results import show_table
        from lionkit_lab.recipe import load

        chosen = load(recipe, set_ or ())
        folder = out or Path("runs") / f"{chosen.name}-{chosen.sha256()[:8]}"
        with Bars() as bars:
            bars.start(chosen.name)
            # After the bars are up: this import takes seconds.
            from lionkit_lab.train import train as run

            run(chosen, folder, bars)
        show_table([folder])
        print(folder)
