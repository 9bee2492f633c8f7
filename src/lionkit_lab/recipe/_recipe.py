"""The recipe: everything that decides a run."""

import hashlib
import json
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from lionkit_lab.recipe._section import Section
from lionkit_lab.recipe._sections import (
    Cosine,
    Logging,
    ModelSettings,
    OptimizerSettings,
    ScheduleSettings,
    TaskSettings,
    Training,
)

_MODELS_OF = {"images": ("resnet", "vit"), "characters": ("gpt2",)}


def _one_entry_per_lr(tables: Any) -> Any:
    """Expand each table with ``lrs = [a, b]`` into one table with ``lr = a`` and one with ``lr = b``."""
    if not isinstance(tables, list | tuple) or not all(isinstance(table, dict) for table in tables):
        raise ValueError("must be a list of tables, [[compare]]")
    expanded = []
    for table in tables:
        lrs = table.get("lrs")
        if lrs is not None and not (isinstance(lrs, list) and lrs):
            raise ValueError(f"lrs = {lrs} is not allowed: must be a list of learning rates")
        rest = {key: value for key, value in table.items() if key != "lrs"}
        expanded += [rest | {"lr": lr} for lr in lrs] if lrs else [rest]
    return expanded


class Recipe(Section):
    """A recipe; two runs of one recipe on one machine are bit-identical."""

    name: Annotated[str, Field(pattern=r"^[\w.-]+$")]
    """Short name, as a folder may bear it: letters, digits, ``_``, ``.`` and ``-``."""
    title: str = ""
    """What the recipe shows, in one line."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Seed of the weights, of the order of the samples and of dropout, at least 0."""
    task: TaskSettings
    """The data and the loss."""
    model: ModelSettings
    """The network."""
    optimizer: OptimizerSettings
    """The optimizer of `lionkit train`."""
    schedule: ScheduleSettings = Cosine()
    """The learning rate over the steps."""
    training: Training
    """Length, batch size and checkpoints."""
    logging: Logging = Logging()
    """The logging epochs."""
    compare: Annotated[tuple[OptimizerSettings, ...], BeforeValidator(_one_entry_per_lr)] = ()
    """What `lionkit demo` runs: optimizer tables, each with ``lr`` or with a list ``lrs``."""

    @model_validator(mode="after")
    def _model_fits_task(self) -> "Recipe":
        fitting = _MODELS_OF[self.task.name]
        if self.model.name not in fitting:
            raise ValueError(
                f'model.name: "{self.model.name}" does not fit task "{self.task.name}": must be {" or ".join(fitting)}'
            )
        return self

    def variants(self) -> list["Recipe"]:
        """Return the recipe once for each entry of ``compare``, with that entry as its optimizer."""
        return [self.model_copy(update={"optimizer": entry, "compare": ()}) for entry in self.compare]

    def as_run(self) -> dict[str, Any]:
        """Return what one run depends on, as JSON: all but ``compare``."""
        return self.model_dump(mode="json", exclude={"compare"})

    def sha256(self) -> str:
        """Return the hash of ``as_run()``: two recipes with the same hash make the same run."""
        return hashlib.sha256(json.dumps(self.as_run(), sort_keys=True).encode()).hexdigest()
