"""The tasks: model, data, loss and metric as one object."""

from lionkit_lab.recipe import Characters, Images, Language, Recipe
from lionkit_lab.tasks._images import ImageClassification as ImageClassification
from lionkit_lab.tasks._images import num_outputs as num_outputs
from lionkit_lab.tasks._language import CharacterModelling as CharacterModelling
from lionkit_lab.tasks._language import LanguageModelling as LanguageModelling
from lionkit_lab.tasks._language import character_windows as character_windows
from lionkit_lab.tasks._losses import LOSSES as LOSSES
from lionkit_lab.tasks._masked_language import MaskedLanguageModelling as MaskedLanguageModelling
from lionkit_lab.tasks._samples import Batch as Batch
from lionkit_lab.tasks._samples import Samples as Samples
from lionkit_lab.tasks._task import Task as Task


def build(recipe: Recipe) -> Task:
    """Build the recipe's task; this reads its data.

    Raises:
        UsageError: Data, a column or a tokenizer are not known.
        RunError: A data file is missing or damaged.
    """
    if isinstance(recipe.task, Images):
        return ImageClassification(recipe)
    if isinstance(recipe.task, Characters):
        return CharacterModelling(recipe)
    if isinstance(recipe.task, Language):
        return LanguageModelling(recipe)
    return MaskedLanguageModelling(recipe)
