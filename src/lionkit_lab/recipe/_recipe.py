"""The recipe: everything that decides a run."""

import hashlib
import json
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from lionkit_lab.recipe import _compare
from lionkit_lab.recipe._agreement import misfits
from lionkit_lab.recipe._engine import EngineSettings
from lionkit_lab.recipe._models import ModelSettings
from lionkit_lab.recipe._optimizers import LionVR, MARSLion, OptimizerSettings
from lionkit_lab.recipe._section import Section
from lionkit_lab.recipe._sections import (
    Cosine,
    Logging,
    ScheduleSettings,
    Training,
)
from lionkit_lab.recipe._start import Start
from lionkit_lab.recipe._tasks import Language, TaskSettings
from lionkit_lab.recipe._tracking import Tracking
from lionkit_lab.recipe._watch import WatchSettings

_MODELS_OF = {
    "images": ("resnet", "vit", "mlp"),
    "characters": ("gpt2",),
    "language": ("gpt2",),
    "masked-language": ("bert",),
}

_UNDECIDING: Any = {"compare": True, "title": True, "tracking": True, "start": {"bring"}, "engine": {"momenta"}}


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
    start: Start | None = None
    """The weights to begin with; random ones when absent."""
    schedule: ScheduleSettings = Cosine()
    """The learning rate over the steps."""
    training: Training
    """Length, batch size and checkpoints."""
    logging: Logging = Logging()
    """The logging epochs."""
    engine: EngineSettings = EngineSettings()
    """Precision, micro-batches, and what several processes share."""
    tracking: Tracking = Tracking()
    """Who hears of the run besides its records."""
    watch: WatchSettings = WatchSettings()
    """Early warnings."""
    compare: Annotated[
        tuple[OptimizerSettings, ...],
        BeforeValidator(_compare.one_entry_per_lr),
        AfterValidator(_compare.all_different),
    ] = ()
    """What `lionkit demo` runs: optimizer tables, each with ``lr`` or with a list ``lrs``."""

    @model_validator(mode="after")
    def _model_fits_task(self) -> "Recipe":
        fitting = _MODELS_OF[self.task.name]
        if self.model.name not in fitting:
            raise ValueError(
                f'model.name: "{self.model.name}" does not fit task "{self.task.name}": must be {" or ".join(fitting)}'
            )
        return self

    @model_validator(mode="after")
    def _perplexity_is_met(self) -> "Recipe":
        perplexity = self.task.perplexity if isinstance(self.task, Language) else None
        if perplexity is None or perplexity.every is None:
            return self
        logging = self.logging.every
        if logging == "epoch" or perplexity.every % logging:
            allowed = f"must be a multiple of logging.every, {logging}, in steps"
            raise ValueError(f"task.perplexity.every: {perplexity.every} is not allowed: {allowed}")
        return self

    @model_validator(mode="after")
    def _engine_fits(self) -> "Recipe":
        parts, rows = self.engine.accumulate, self.training.batch_size
        if parts > rows:
            raise ValueError(f"engine.accumulate {parts} is not allowed: must be at most training.batch_size, {rows}")
        if self.engine.precision == "float16" and self.takes_two_gradients:
            found = f'engine.precision "float16" is not allowed with optimizer "{self.optimizer.name}"'
            raise ValueError(f'{found}: it takes two gradients a step; take "bfloat16"')
        return self

    @model_validator(mode="after")
    def _agreement_fits(self) -> "Recipe":
        agreement = self.engine.agreement
        if agreement != "none" and (found := next(misfits(self.training, self.logging, self.watch), None)):
            key, value, why = found
            shown = f'"{value}"' if isinstance(value, str) else value
            raise ValueError(f'{key}: {shown} is not allowed with engine.agreement "{agreement}": {why}')
        return self

    @property
    def takes_two_gradients(self) -> bool:
        """Whether a step of the optimizer takes the batch's gradient at the previous weights too."""
        return isinstance(self.optimizer, LionVR) or (isinstance(self.optimizer, MARSLion) and self.optimizer.exact)

    @property
    def residual_weight_decay(self) -> float:
        """The decay at which the KKT residual and the box are measured, at least 0."""
        chosen = self.logging.weight_decay
        return self.optimizer.weight_decay if chosen is None else chosen

    def variants(self) -> dict[str, "Recipe"]:
        """Return the recipe with each entry of ``compare`` as its optimizer, by a name that no other has."""
        recipes = [self.model_copy(update={"optimizer": entry, "compare": ()}) for entry in self.compare]
        return dict(zip(_compare.names(self.compare), recipes, strict=True))

    def arms(self) -> dict[str, tuple[OptimizerSettings, ...]]:
        """Return the entries of ``compare`` that differ in their learning rate alone, by the name of their arm."""
        return _compare.arms(self.compare)

    def as_run(self) -> dict[str, Any]:
        """Return what one run depends on, as JSON: all but ``compare``, ``tracking`` and what a resume alone reads."""
        return self.model_dump(mode="json", exclude={"compare": True, "tracking": True, "engine": {"momenta"}})

    def sha256(self) -> str:
        """Return the hash of what decides a run: two recipes with the same hash make the same one.

        Settings that have their defaults are not in it: a later version that has more of them still knows the run.
        """
        found = self.model_dump(mode="json", exclude=_UNDECIDING, exclude_defaults=True)
        deciding = {key: value for key, value in found.items() if value != {}}  # of a section that decides nothing
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()
