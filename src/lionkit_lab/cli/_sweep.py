"""`lionkit sweep`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lionkit_lab.cli._alone import refuse_several
from lionkit_lab.cli._bars import Bars
from lionkit_lab.cli._errors import Debug, one_line_errors
from lionkit_lab.cli._train import Set
from lionkit_lab.errors import UsageError

if TYPE_CHECKING:
    from lionkit_lab.sweep import Arm, ArmStudy, Database, Row, Sampler

Recipes = Annotated[list[str], typer.Argument(help="Recipes with a [[compare]] list.")]
Compare = Annotated[
    str | None,
    typer.Option(metavar="NAME|FILE", help='The optimizers of "members", or of a TOML file, for the recipes\' own.'),
]
Seeds = Annotated[int, typer.Option(min=1, help="Seeds of every learning rate, from the recipe's own on.")]
How = Annotated[Literal["grid", "tpe"], typer.Option(help="The recipe's learning rates, or any between the outermost.")]
Trials = Annotated[int | None, typer.Option(min=2, help="With tpe: learning rates of each arm; as many as a grid's.")]
Metric = Annotated[
    str, typer.Option(help="What the learning rate is chosen by: train_loss, test_loss or the task's own.")
]
Storage = Annotated[str | None, typer.Option(metavar="URL", help="Database; sqlite in OUT when not given.")]
Out = Annotated[Path, typer.Option(help="Folder of the runs.")]
Only = Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this arm or optimizer; may be repeated.")]
Markdown = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table as Markdown as well.")]
Csv = Annotated[Path | None, typer.Option(metavar="FILE", help="Write its numbers as CSV as well.")]
Json = Annotated[bool, typer.Option("--json", help="Print the numbers as JSON, and no table.")]


def sweep(
    recipes: Recipes,
    compare: Compare = None,
    seeds: Seeds = 3,
    sampler: How = "grid",
    trials: Trials = None,
    metric: Metric = "train_loss",
    storage: Storage = None,
    out: Out = Path("runs/sweep"),
    only: Only = None,
    set_: Set = None,
    markdown: Markdown = None,
    csv: Csv = None,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Tune every optimizer of a recipe with the same budget, and compare them at their best over several seeds.

    Run the same command on several processes or machines with one --storage, and they share the work. What was killed
    goes on by the same command; what is finished is not run again.
    """
    with one_line_errors(debug):
        refuse_several("lionkit sweep")
        from lionkit_lab.cli._results import writable

        arms = _arms(recipes, compare, set_ or (), only or ())
        chosen = _sampler(sampler, trials, arms)
        for folder in {out, *(file.parent for file in (markdown, csv) if file)}:
            writable(folder)  # Known before hours of training, not after.
        with Bars(1) as bars:
            database, studies = _studies(arms, metric, seeds, chosen, storage or f"sqlite:///{out / 'sweep.db'}", bars)
            from lionkit_lab import sweep as room

            bars.expect(room.num_runs(studies), database.call(lambda: room.num_finished(studies)))
            room.run(studies, database, out, bars)
            rows = database.call(lambda: room.rows_of(studies))
        _show(rows, markdown, csv, json_)
        if not json_:
            print(f"a report of all runs: lionkit report {out}")


def _arms(
    names: Sequence[str], compare: str | None, overrides: Sequence[str], only: Sequence[str]
) -> "list[list[Arm]]":
    from lionkit_lab.recipe import load
    from lionkit_lab.sweep import arms_of

    found = [arms_of(load(name, overrides, compare), only) for name in names]
    titles = [arms[0].recipe.name for arms in found]
    for title in titles:
        if titles.count(title) > 1:
            raise UsageError(f'recipe "{title}" is not allowed {titles.count(title)} times: must be there once')
    return found


def _sampler(name: str, trials: int | None, arms: "list[list[Arm]]") -> "Sampler":
    from lionkit_lab.sweep import TPE, Grid

    if name == "grid" and trials is not None:
        raise UsageError(f"--trials {trials} is not allowed with --sampler grid: the recipe's lists are the budget")
    largest = max(len(arm.lrs) for group in arms for arm in group)
    sampler = Grid() if name == "grid" else TPE(trials or max(2, largest))
    for group in arms:
        sampler.check(group)
    return sampler


def _studies(
    arms: "list[list[Arm]]", metric: str, seeds: int, sampler: "Sampler", url: str, bars: Bars
) -> "tuple[Database, list[ArmStudy]]":
    from lionkit_lab.sweep import ArmStudy, Database, goal_of

    goals = [goal_of(group[0].recipe, metric, seeds) for group in arms]
    database = Database(url, bars.note)
    pairs = [(arm, goal) for group, goal in zip(arms, goals, strict=True) for arm in group]
    return database, [ArmStudy(arm, goal, sampler, database) for arm, goal in pairs]


def _show(rows: "Sequence[Row]", markdown: Path | None, csv: Path | None, json_: bool) -> None:
    from rich.console import Console

    from lionkit_lab.sweep import table

    if markdown:
        markdown.write_text(table.markdown(rows), encoding="utf-8")
    if csv:
        csv.write_text(table.as_csv(rows), encoding="utf-8")
    console = Console()
    if json_:
        print(json.dumps([table.as_record(row) for row in rows]))
    elif console.is_terminal:
        console.print(*table.render(rows))
    else:
        print(table.markdown(rows))
