"""A recipe that trains in a second, and what the lab's tests share."""

from pathlib import Path

import pytest

# One layer, 12 steps, a logging epoch every 4 over 40 images: every part of a run, as small as it gets.
TINY = """
name = "tiny"
title = "a test"
seed = 3
[task]
name = "images"
[model]
name = "vit"
width = 16
layers = 1
heads = 2
dropout = 0.1
[optimizer]
name = "lion"
lr = 3e-3
betas = [0.8, 0.95]
weight_decay = 0.3
[schedule]
name = "cosine"
warmup_steps = 3
[training]
steps = 12
batch_size = 10
clip = 1.0
checkpoint_every = 3
[logging]
every = 4
batches = 2
batch_size = 20
step_every = 1
[[compare]]
name = "sgd"
lrs = [1e-2, 1e30]
[[compare]]
name = "lion"
lrs = [1e-3]
"""


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
