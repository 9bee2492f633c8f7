"""The tasks: model, data, loss and metric as one object."""

from lionkit_lab.recipe import Images, Recipe
from lionkit_lab.tasks._characters import CharacterModelling as CharacterModelling
from lionkit_lab.tasks._images import ImageClassification as ImageClassification
from lionkit_lab.tasks._task import Batch as Batch
from lionkit_lab.tasks._task import Task as Task


def build(recipe: Recipe) -> Task:
    """Build the recipe's task; this reads its data.

    Raises:
        RunError: A data file is missing or damaged.
    """
    return ImageClassification(recipe) if isinstance(recipe.task, Images) else CharacterModelling(recipe)
