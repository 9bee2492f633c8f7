"""What a recipe asks for and is not here, with the command that brings it."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lionkit_lab.data import HUB_PREFIX, fetch
from lionkit_lab.errors import LabError
from lionkit_lab.models import find_weights
from lionkit_lab.recipe import MLP, Language, MaskedLanguage, Recipe
from lionkit_lab.trackers import Trackers

_TOKENIZERS = {"gpt2": "gpt2-bpe", "bert": "bert-wordpiece"}


@dataclass(frozen=True)
class Missing:
    """Something that is not here, or cannot be used as it is.

    Attributes:
        what: What it is; the error, where it is here.
        command: What brings it, or another one.
        is_here: Whether it is here, and cannot be used.
    """

    what: str
    command: str
    is_here: bool = False

    @property
    def line(self) -> str:
        """All of it in one line."""
        return f"{self.what}{'' if self.is_here else ' is not here'}: {self.command}"


def missing(recipe: Recipe) -> tuple[Missing, ...]:
    """Return what has to be brought before the recipe can run, each once."""
    found = [*_packages(recipe), *missing_data(recipe.task.data), *_of_text(recipe), *_start(recipe)]
    return tuple(dict.fromkeys([*found, *_trackers(recipe)]))


def _packages(recipe: Recipe) -> Iterator[Missing]:
    needed = [] if isinstance(recipe.model, MLP) else ["transformers"]
    if isinstance(recipe.task, Language | MaskedLanguage):
        needed += ["tokenizers", "numpy"]
    for package in needed:
        if find_spec(package) is None:
            yield Missing(f'package "{package}"', 'pip install "lionkit[lab]"')


def missing_data(place: str | None, key: str = "task.data") -> Iterator[Missing]:
    """Yield what has to be brought before the data of a recipe's ``key`` are at their place."""
    if place is None:
        return
    if place.startswith(HUB_PREFIX):
        yield from _hub(place, key)
    elif place in fetch.PACKAGES:
        if not fetch.is_there(fetch.PACKAGES[place]):
            yield Missing(f'data set "{place}"', f"lionkit data fetch {place}")
    elif not Path(place).exists():
        yield Missing(f'data "{place}"', f"give your own by --set {key}=PATH")


def _hub(place: str, key: str) -> Iterator[Missing]:
    if find_spec("datasets") is None:
        yield Missing('package "datasets"', "pip install datasets")
        return
    name = place.removeprefix(HUB_PREFIX).partition(":")[0]
    if not Path(name).exists() and not _is_cached(name):
        folder = name.rpartition("/")[2]
        bring = f"hf download {name} --repo-type dataset --local-dir {folder}"
        yield Missing(f'data set "{name}"', f"{bring}  and --set {key}={place.replace(name, f'./{folder}')}")


def _is_cached(name: str) -> bool:
    """Say whether the library has prepared a data set of the hub, or downloaded it."""
    from datasets import config
    from huggingface_hub.constants import HF_HUB_CACHE

    prepared = Path(config.HF_DATASETS_CACHE) / name.replace("/", "___")
    downloaded = Path(HF_HUB_CACHE) / f"datasets--{name.replace('/', '--')}"
    return prepared.exists() or downloaded.exists()


def _of_text(recipe: Recipe) -> Iterator[Missing]:
    task = recipe.task
    if not isinstance(task, Language | MaskedLanguage):
        return
    package = _TOKENIZERS.get(task.tokenizer)
    if package and not fetch.is_there(fetch.PACKAGES[package]):
        yield Missing(f'tokenizer "{task.tokenizer}"', f"lionkit data fetch {package}")
    if task.tokenizer.endswith(".json") and not Path(task.tokenizer).exists():
        yield Missing(f'tokenizer "{task.tokenizer}"', "give another by --set task.tokenizer=FILE")
    if isinstance(task, Language) and task.perplexity:
        yield from missing_data(task.perplexity.data, "task.perplexity.data")


def _start(recipe: Recipe) -> Iterator[Missing]:
    if recipe.start:
        try:
            find_weights(Path(recipe.start.checkpoint))
        except LabError:
            bring = recipe.start.bring or "give another by --set start.checkpoint=PATH"
            yield Missing(f'checkpoint "{recipe.start.checkpoint}"', bring)


def _trackers(recipe: Recipe) -> Iterator[Missing]:
    for name in recipe.tracking.trackers:
        try:
            Trackers([name], recipe.tracking.project, Path(), {})
        except LabError as error:
            _, _, command = str(error).rpartition("is missing: ")
            yield Missing(f'tracker "{name}"', command)
