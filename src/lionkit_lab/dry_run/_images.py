"""Images as the subject of a recipe."""

import torch

from lionkit_lab import models
from lionkit_lab.data.images import check_classes, load_image_set
from lionkit_lab.dry_run._known import IMAGES, known
from lionkit_lab.dry_run._known import Images as KnownImages
from lionkit_lab.dry_run._place import is_readable, size_of
from lionkit_lab.dry_run._subject import Subject
from lionkit_lab.recipe import BERT, GPT2, Images, Recipe
from lionkit_lab.tasks import num_outputs


def of_images(recipe: Recipe, task: Images) -> Subject | None:
    """Return a network and its images; None where neither the data nor their sizes are at hand.

    Raises:
        UsageError: A setting does not fit the data.
        RunError: The data are here, and damaged.
    """
    found = _images(task)
    return found and _subject(recipe, task, found)


def _images(task: Images) -> KnownImages | None:
    if task.data and (found := known(task.data, IMAGES)):
        return found
    if not is_readable(task.data):
        return None
    images = load_image_set(task.data, side=task.side)
    shape = images.train.plain(torch.tensor([0])).shape
    disk = (size_of(task.data) or 0) if task.data else 0
    return KnownImages(len(images.train), len(images.test), (shape[1], shape[2], shape[3]), len(images.classes), disk)


def _subject(recipe: Recipe, task: Images, data: KnownImages) -> Subject:
    settings = recipe.model
    assert not isinstance(settings, GPT2 | BERT)
    channels, height, width = data.shape or (3, task.side, task.side)
    shape = (channels, task.scale_to or height, task.scale_to or width)
    check_classes(task.classes or (), data.classes)
    classes = len(task.classes) if task.classes else data.classes
    outputs = num_outputs(task, classes)
    train, test = (count * classes // data.classes for count in (data.train, data.test))
    return Subject(
        network=lambda: models.image_classifier(settings, shape, outputs),
        batch=lambda size: (torch.zeros(size, *shape), torch.zeros(size, dtype=torch.int64)),
        train=train,
        test=test,
        exact=True,
        tokens=None,
        disk=data.disk,
    )
