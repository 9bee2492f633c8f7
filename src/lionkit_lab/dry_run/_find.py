"""Finding out what a recipe trains, without loading what may not be there."""

from lionkit_lab.dry_run._images import of_images
from lionkit_lab.dry_run._subject import Subject
from lionkit_lab.dry_run._text import of_characters, of_tokens
from lionkit_lab.recipe import Characters, Images, Recipe


def find_subject(recipe: Recipe) -> Subject | None:
    """Find out what a recipe trains; None where even the network depends on data that are not here.

    Raises:
        UsageError: A setting does not fit the data.
        RunError: The data or the tokenizer are here, and damaged.
    """
    task = recipe.task
    if isinstance(task, Images):
        return of_images(recipe, task)
    if isinstance(task, Characters):
        return of_characters(recipe, task)
    return of_tokens(recipe, task)
