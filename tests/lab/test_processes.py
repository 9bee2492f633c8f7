"""A run on several processes is the run on one: the same losses, the same weights."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from idx_files import write_images
from ranks import CASES, SHARDED
from tiny_recipe import TINY

from lionkit_lab import checkpoint
from lionkit_lab.record import read_run

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node"]
TRAIN = ["-m", "lionkit_lab", "train"]


def overridden(tiny: Path, folder: Path, *changes: tuple[str, str]) -> Path:
    """Write a recipe of 50 steps over 53 images without dropout, whose last batch has 3."""
    folder.mkdir()
    generator = torch.Generator().manual_seed(5)
    labels = torch.randint(3, (53,), generator=generator).tolist()
    write_images(folder, train_labels=labels, size=(14, 14), test_labels=[0, 1, 2, 1, 0])
    text = tiny.read_text().replace("dropout = 0.1", "").replace("steps = 12", "steps = 50")
    for before, after in (('name = "images"', f'name = "images"\ndata = "{folder}"'), *changes):
        assert before in text
        text = text.replace(before, after)
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Train every case on one process and on two."""
    folder = tmp_path_factory.mktemp("processes")
    tiny = folder / "tiny.toml"
    tiny.write_text(TINY)
    recipe = overridden(tiny, folder / "data", ("every = 4", "every = 25"), ("checkpoint_every = 3", ""))
    script = str(Path(__file__).with_name("ranks.py"))
    one, two = folder / "one", folder / "two"
    for command, out in (([sys.executable], one), ([*TORCHRUN, "2"], two)):
        done = subprocess.run(
            [*command, script, str(recipe), str(out)], capture_output=True, text=True, check=False, env=ENVIRONMENT
        )
        assert done.returncode == 0, done.stderr
    return one, two


def end(folder: Path) -> checkpoint.Saved:
    saved = checkpoint.load(folder)
    assert saved is not None
    return saved


def momenta(saved: checkpoint.Saved) -> dict[str, torch.Tensor]:
    found = saved.tensors(lambda _, shape, dtype: torch.zeros(shape, dtype=dtype), is_sharded=False)
    return {name.removesuffix("/exp_avg"): it for name, it in found.items() if name.endswith("/exp_avg")}


DOUBLE = [name for name in (*CASES, *SHARDED) if "float" not in name]


@pytest.mark.parametrize("case", DOUBLE)
def test_two_processes_end_where_one_does(runs: tuple[Path, Path], case: str) -> None:
    one, two = (end(folder / case) for folder in runs)
    others, momentum = two.weights(), momenta(one)
    num_flipped = 0
    for name, weight in one.weights().items():
        assert weight.dtype == torch.float64
        differs = (weight - others[name]).abs() > 1e-9
        num_flipped += int(differs.sum())
        # Lion's step has the size lr whatever the gradient: a sign of what is 0 but for its rounding may be either.
        assert (momentum[name][differs].abs() < 1e-14).all(), name
        assert not differs.any() or name.endswith("k_proj.bias"), name  # softmax is blind to it: its gradient is 0
    assert num_flipped <= 16


@pytest.mark.parametrize("case", DOUBLE)
def test_two_processes_record_what_one_does(runs: tuple[Path, Path], case: str) -> None:
    one, two = (read_run(folder / case) for folder in runs)
    assert len(one.steps) == len(two.steps) == 50
    assert [log["step"] for log in two.logs] == [0, 25, 50]
    for before, after in zip([*one.logs, *one.steps], [*two.logs, *two.steps], strict=True):
        assert after.pop("kind") == before.pop("kind")
        assert after == pytest.approx(before, rel=1e-9), before
    assert two.manifest["machine"]["processes"] == 2
    assert two.end == one.end


@pytest.mark.parametrize("case", ["float32", "bfloat16", "bfloat16, sharded"])
def test_curves_of_lower_precision_agree(runs: tuple[Path, Path], case: str) -> None:
    one, two = (read_run(folder / case) for folder in runs)
    gaps = [abs(a["loss"] - b["loss"]) for a, b in zip(one.steps, two.steps, strict=True)]
    assert max(gaps) < (1e-3 if case == "float32" else 0.1)
    assert max(gaps[:3]) < (1e-6 if case == "float32" else 0.02)


def test_micro_batches_add_up_to_the_batch(runs: tuple[Path, Path]) -> None:
    whole, parts = (end(runs[0] / case).weights() for case in ("lion", "lion, parts"))
    for name, weight in whole.items():
        differs = (weight - parts[name]).abs() > 1e-9
        assert not differs.any() or name.endswith("k_proj.bias"), name
    assert any(not torch.equal(weight, parts[name]) for name, weight in whole.items())
