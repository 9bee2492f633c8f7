"""`lionkit demo`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lionkit_lab.cli._alone import refuse_several
from lionkit_lab.cli._bars import Bars
from lionkit_lab.cli._errors import Debug, one_line_errors
from lionkit_lab.errors import DivergenceError, UsageError

if TYPE_CHECKING:
    from lionkit_lab.recipe import Recipe

_RECIPES = ["fashion-mnist", "moby-dick"]


def demo(
    recipes: Annotated[list[str], typer.Argument(help="Recipes with a [[compare]] list.")] = _RECIPES,
    out: Annotated[Path, typer.Option(help="Folder of the runs and of the report.")] = Path("runs/demo"),
    debug: Debug = False,
) -> None:
    """Train SGD, AdamW and Lion side by side on real images and text, and write a report.

    Runs that are finished are not run again.
    """
    with one_line_errors(debug):
        refuse_several("lionkit demo")
        from lionkit_lab.cli._results import show_table, writable
        from lionkit_lab.report import write

        runs = [run for recipe in recipes for run in _runs(recipe, out)]
        writable(out)  # Known before minutes of training, not after.
        with Bars(len(runs)) as bars:
            for recipe, folder in runs:
                bars.start(f"{recipe.name}: {folder.name}")
                bars.finish(_train(recipe, folder, bars))
        print(write(show_table([folder for _, folder in runs]), out))


def _runs(name: str, out: Path) -> list[tuple["Recipe", Path]]:
    from lionkit_lab.recipe import load

    recipe = load(name)
    if not recipe.compare:
        raise UsageError(f'recipe "{name}" has nothing to compare: it needs a [[compare]] list')
    return [(run, out / run.name / folder) for folder, run in recipe.variants().items()]


def _train(recipe: "Recipe", folder: Path, bars: Bars) -> str:
    """Train, and return a line that says how it went; a diverged run is a result as well."""
    from lionkit_lab.record import read_run
    from lionkit_lab.train import train

    try:
        train(recipe, folder, bars)
    except DivergenceError as error:
        return f"{recipe.name}: {error}"
    run = read_run(folder)
    return f"{recipe.name}: {folder.name}: train loss {run.logs[-1]['train_loss']:.3f} in {run.seconds:.1f} s"
