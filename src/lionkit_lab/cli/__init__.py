"""The command line. Each command imports what it needs when it runs: `lionkit --help` answers at once."""

import typer

from lionkit_lab.cli._bench import bench
from lionkit_lab.cli._data import data
from lionkit_lab.cli._demo import demo
from lionkit_lab.cli._group import OneLineGroup
from lionkit_lab.cli._plan import plan
from lionkit_lab.cli._ratio import ratio
from lionkit_lab.cli._recipes import recipes
from lionkit_lab.cli._report import report
from lionkit_lab.cli._sweep import sweep
from lionkit_lab.cli._train import train
from lionkit_lab.cli._verify import verify

app = typer.Typer(
    cls=OneLineGroup,
    help="Train with Lion and its kin, measure what the theory speaks of, and see it in a report.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (demo, train, sweep, report, recipes, bench, plan, verify, ratio):
    app.command()(command)
app.add_typer(data, name="data")
