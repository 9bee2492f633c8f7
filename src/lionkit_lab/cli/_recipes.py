"""`lionkit recipes`."""

from lionkit_lab.cli._errors import Debug, one_line_errors

_HEADINGS = {
    "": "that run on two cores",
    "paper": "of the paper, at full scale: `lionkit train RECIPE --dry-run` says what each needs",
}


def recipes(debug: Debug = False) -> None:
    """List the bundled recipes."""
    with one_line_errors(debug):
        from rich.console import Console
        from rich.table import Table

        from lionkit_lab.recipe import bundled, load

        for folder, heading in _HEADINGS.items():
            table = Table(title=f"Recipes {heading}", title_justify="left")
            for column in ("recipe", "task", "model", "optimizer", "what it shows"):
                table.add_column(column, no_wrap=column == "recipe")  # A name that is cut cannot be asked for.
            for name in bundled():
                if name.rpartition("/")[0] == folder:
                    recipe = load(name)
                    table.add_row(name, recipe.task.name, recipe.model.name, recipe.optimizer.name, recipe.title)
            Console().print(table)
