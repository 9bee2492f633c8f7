"""The bundled recipes: the paper's settings and sizes, and scaled ones that try all with the same budget."""

import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from lionkit_lab import optimizers
from lionkit_lab.dry_run import dry_run
from lionkit_lab.errors import UsageError
from lionkit_lab.models import PUBLISHED, published
from lionkit_lab.recipe import bundled, load

PAPER = [name for name in bundled() if name.startswith("paper/")]
SCALED = ["cifar10", "cifar10-vit", "cifar10-vit-finetune", "fashion-mnist-full", "sotu-bert", "sotu-gpt2"]
GRID = (3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6)

# The captions of figures 1 and B.4, and of B.5 (e); the ResNets' captions in B.5 repeat CIFAR-100's, which no network
# with 1,000 outputs has: see tests/lab/test_models.py.
ROOTS = {
    "paper/resnet18-cifar10": 3343,
    "paper/resnet50-cifar10": 4850,
    "paper/vit-s-cifar10": 4655,
    "paper/resnet18-cifar100": 3350,
    "paper/resnet50-cifar100": 4869,
    "paper/vit-s-cifar100": 4659,
    "paper/vit-s-imagenet": 5484,
    "paper/resnet18-imagenet": 3419,
    "paper/resnet50-imagenet": 5055,
}


def settings(name):
    """Appendix C, as far as a recipe says it, and the learning rates of each optimizer."""
    recipe = load(name)
    training, warmup = recipe.training, (recipe.schedule.warmup_steps, recipe.schedule.warmup_epochs)
    rates = {arm: tuple(entry.lr for entry in recipe.compare if entry.name == arm) for arm in ("sgd", "lion")}
    length = training.epochs or training.steps
    return recipe.schedule.name, length, training.batch_size, warmup[1], rates["sgd"], rates["lion"]


def test_the_paper_has_thirteen_runs():
    assert len(PAPER) == 13
    assert len({load(name).name for name in bundled()}) == len(bundled())


@pytest.mark.parametrize("name", PAPER)
def test_settings_are_those_of_appendix_c(name):
    if "cifar" in name:
        assert settings(name) == ("cosine", 100, 64, 0, GRID, GRID)
        assert {entry.weight_decay for entry in load(name).compare} == {0.1}
    elif "imagenet" in name:
        assert settings(name) == ("cosine", 90, 2048, 10, (0.5,), GRID)
    else:
        assert settings(name) == ("cosine", 50_000, 640, 0, (1e-4,), (1e-5,))
        logging = load(name).logging
        assert logging.batches * logging.batch_size == 64_000


@pytest.mark.parametrize("name", ROOTS)
def test_the_root_of_the_number_of_weights_is_the_papers(name):
    assert round(dry_run(load(name)).sqrt_dim) == ROOTS[name]


def test_a_network_is_the_same_on_all_data():
    """What two recipes of different layers must both say; their sizes are pinned in tests/lab/test_models.py."""
    assert {load(name).model for name in PAPER} == {published(name) for name in PUBLISHED}
    for size in ("18", "50"):
        cifar, imagenet = published(f"resnet{size}-cifar"), published(f"resnet{size}")
        assert imagenet == cifar.model_copy(update={"stem": "7x7"})


def test_vit_s_on_cifar_is_fine_tuned_and_gpt2_measured_on_wikitext():
    assert load("paper/vit-s-cifar100").start.checkpoint == load("paper/vit-s-cifar10").start.checkpoint
    wikitext = load("paper/gpt2-medium").task.perplexity
    assert (wikitext.data, wikitext.every) == ("datasets:Salesforce/wikitext:wikitext-103-raw-v1", 10_000)
    assert load("paper/gpt2-medium").training.kept_steps == (10_000, 20_000, 30_000, 40_000, 50_000)


@pytest.mark.parametrize("name", SCALED)
def test_scaled_recipes_give_every_optimizer_as_many_learning_rates(name):
    arms = load(name).arms()
    assert list(arms)[:3] == ["sgd-momentum0", "sgd-momentum0.9", "adamw"]
    assert [arm[0].name for arm in arms.values()][3] == "lion"
    assert {len(arm) for arm in arms.values()} == {4}
    for arm in arms.values():
        steps = [math.log10(b.lr / a.lr) for a, b in pairwise(arm)]
        assert all(0.4 < step < 0.6 for step in steps)


def test_the_halves_of_cifar10_share_no_class():
    before, after = (set(load(f"cifar10-vit-{name}").task.classes) for name in ("pretrain", "finetune"))
    assert before | after == set(range(10))
    assert not before & after


def test_a_warm_up_in_epochs_is_one_in_steps(tiny: Path):
    weight = torch.nn.Parameter(torch.ones(3))
    rates = []
    for override in ("schedule={name='cosine', warmup_steps=6}", "schedule={name='cosine', warmup_epochs=2}"):
        optimizer = torch.optim.SGD([weight], lr=0.7)
        schedule = optimizers.schedule(load(tiny, [override]).schedule, optimizer, 12, 3)
        rates.append([])
        for _ in range(12):
            rates[-1].append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
    assert rates[0] == rates[1]
    assert max(rates[0]) == rates[0][6]
    with pytest.raises(UsageError, match="schedule: only one of warmup_steps and warmup_epochs may be given"):
        load(tiny, ["schedule.warmup_epochs=1"])


def layered(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text)
    return folder / "upper.toml"


def test_a_recipe_is_laid_over_the_one_that_it_extends(tiny: Path):
    text = """
        extends = "tiny.toml"
        name = "upper"
        training.steps = 5
        optimizer = {name = "adamw", lr = 7e-3}
        model = {width = 32}
        compare = []
    """
    upper, below = load(layered(tiny.parent, upper=text)), load(tiny)
    assert (upper.name, upper.seed, upper.training.steps, upper.training.clip) == ("upper", 3, 5, 1.0)
    assert upper.optimizer == load(tiny, ["optimizer={name='adamw', lr=7e-3}"]).optimizer  # nothing of Lion's
    assert upper.model == below.model.model_copy(update={"width": 32})
    assert not upper.compare
    assert upper.logging == below.logging


def test_a_recipe_extends_bundled_ones_by_name(tmp_path: Path):
    recipe = load(layered(tmp_path, upper='extends = "paper/gpt2-small"\nname = "mine"'))
    assert recipe.model == published("gpt2-small")
    assert recipe.sha256() != load("paper/gpt2-small").sha256()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"upper": "extends = 3"}, "recipe upper.toml: extends: 3 is not allowed: must be one recipe's name or file"),
        ({"upper": 'extends = "cifr10"'}, 'recipe "cifr10" is not known (did you mean "cifar10"?)'),
        ({"upper": 'extends = "a.toml"', "a": 'extends = "upper.toml"'}, '"upper.toml" is not allowed: it extends it'),
        ({"upper": 'extends = "gone.toml"'}, "gone.toml cannot be read: No such file or directory"),
    ],
)
def test_an_extension_that_cannot_be_is_refused(tmp_path: Path, files: dict[str, str], message: str):
    with pytest.raises(UsageError) as caught:
        load(layered(tmp_path, **files))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_with_its_folder_is_hinted_at():
    with pytest.raises(UsageError, match=r'cannot be read: .*did you mean "paper/resnet18-cifar10"'):
        load("paper/resnet18-cifar11")
