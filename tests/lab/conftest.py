"""A recipe that trains in a second, and what the lab's tests share."""

from pathlib import Path

import pytest
from tiny_recipe import TINY


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


# Three arms of two learning rates each; the largest of the second one diverges.
SWEPT = """
[[compare]]
name = "sgd"
weight_decay = 0.1
lrs = [1e-2, 1e-1]
[[compare]]
name = "sgd"
weight_decay = 0.0
lrs = [1e-1, 1e30]
[[compare]]
name = "lion"
betas = [0.85, 0.97]
lrs = [1e-3, 3e-2]
"""


@pytest.fixture(scope="session")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "swept.toml"
    path.write_text(TINY.replace('name = "tiny"', 'name = "swept"').partition("[[compare]]")[0] + SWEPT)
    return path
