"""Some classes of a set, as a set of its own."""

from collections.abc import Sequence
from dataclasses import replace
from typing import final

import torch
from torch import Tensor

from lionkit_lab.data.images._set import ImageSet, Split
from lionkit_lab.errors import UsageError


def chosen(images: ImageSet, classes: Sequence[int]) -> ImageSet:
    """Return the images of some classes, which are numbered anew in the order given; standardised as the whole set.

    Args:
        images: The set.
        classes: Numbers of its classes, each once.

    Raises:
        UsageError: A class is not there, or stands twice.
    """
    check_classes(classes, len(images.classes))
    train, test = (_Chosen(split, classes) for split in (images.train, images.test))
    return replace(images, train=train, test=test, classes=tuple(images.classes[class_] for class_ in classes))


def check_classes(classes: Sequence[int], num_classes: int) -> None:
    """Refuse classes that cannot be chosen.

    Args:
        classes: Their numbers.
        num_classes: How many classes the set has.

    Raises:
        UsageError: A class is not there, or stands twice.
    """
    wrong = [class_ for class_ in classes if class_ not in range(num_classes) or classes.count(class_) > 1]
    if wrong:
        allowed = f"must be in [0, {num_classes - 1}], each once"
        raise UsageError(f"task.classes: {wrong[0]} is not allowed: {allowed}")


@final
class _Chosen(Split):
    def __init__(self, whole: Split, classes: Sequence[int]) -> None:
        self._whole = whole
        number = torch.full((int(whole.labels.max()) + 1,), -1)
        for new, class_ in enumerate(classes):
            if class_ < len(number):
                number[class_] = new
        labels = number[whole.labels]
        self._indices = (labels >= 0).nonzero().flatten()
        self.labels = labels[self._indices]

    def plain(self, indices: Tensor) -> Tensor:
        return self._whole.plain(self._indices[indices])

    def augmented(self, indices: Tensor, seed: int, epoch: int) -> Tensor:
        return self._whole.augmented(self._indices[indices], seed, epoch)
