"""A grid of made-up runs, and its report."""

import pytest
from fake_runs import write_grid

from lionkit_lab import report
from lionkit_lab.record import find_runs


@pytest.fixture(scope="session")
def grid(tmp_path_factory):
    """Folder of 18 runs: two tasks, three optimizers, three learning rates, SGD diverging at the largest."""
    return write_grid(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def runs(grid):
    return find_runs([grid])


@pytest.fixture(scope="session")
def report_path(runs, tmp_path_factory):
    return report.write(runs, tmp_path_factory.mktemp("report"))


@pytest.fixture
def open_report(open_page, report_path):
    """Open the report of the grid, or the one at ``path``."""
    return lambda path=report_path, **options: open_page(path, **options)
