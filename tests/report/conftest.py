"""A grid of made-up runs, its report, and a headless browser to open it in."""

import shutil

import pytest
from fake_runs import write_grid

from lionkit_lab import report
from lionkit_lab.record import find_runs

CHROMIUM = shutil.which("chromium")
# Without these Chromium itself talks to the network, and no test could tell who did.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_report(browser, report_path):
    """Open the report; ``page.complaints`` and ``page.requests`` hold what a quiet page leaves empty."""
    contexts = []

    def open_(path=report_path, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.complaints, page.requests = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_function("document.querySelectorAll('.chart .trace.scatter path').length > 0")
        return page

    yield open_
    for context in contexts:
        context.close()
