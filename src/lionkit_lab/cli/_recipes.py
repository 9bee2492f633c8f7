"""`lionkit recipes`."""

from lionkit_lab.cli._errors import Debug, one_line_errors


def recipes(debug: Debug = False) -> None:
    """List the bundled recipes."""
    with one_line_errors(debug):
        from rich.console import Console
        from rich.table import Table

        from lionkit_lab.recipe import bundled, load

        table = Table("recipe", "task", "model", "optimizer", "what it shows")
        for name in bundled():
            recipe = load(name)
            table.add_row(name, recipe.task.name, recipe.model.name, recipe.optimizer.name, recipe.title)
        Console().print(table)
