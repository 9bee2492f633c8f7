"""Labelled images by name, through the library `datasets`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lionkit_lab.data._hub import column, load_hub
from lionkit_lab.data.images._moments import IMAGENET, moments
from lionkit_lab.data.images._pictures import Pictures
from lionkit_lab.data.images._pixels import Pixels
from lionkit_lab.data.images._set import ImageSet
from lionkit_lab.errors import RunError

if TYPE_CHECKING:
    from datasets import Dataset
    from PIL.Image import Image

_IMAGES = "image", "img"
_LABELS = "label", "fine_label", "labels"
_SMALL = 64  # pixels of the longer side


@dataclass(frozen=True)
class _Opener:
    """Opens the pictures of a split by their index."""

    data: "Dataset"
    column: str

    def __call__(self, index: int) -> "Image":
        return self.data[index][self.column]


def load_hub_images(where: str, side: int = 224, workers: int = 1) -> ImageSet:
    """Load the images of ``datasets:NAME``.

    Small ones, as those of CIFAR, are decoded into memory, and standardised by the training images; larger ones are
    decoded when they are asked for, and standardised as is usual for ImageNet. The first image decides.

    Args:
        where: ``datasets:NAME`` or ``datasets:NAME:CONFIG``.
        side: Side in pixels of what a model sees of larger pictures, at least 1.
        workers: Threads that decode larger pictures, at least 1.

    Raises:
        UsageError: It has no column of images or of labels.
        RunError: It cannot be loaded, or small images differ in size.
    """
    train, test, file = load_hub(where, _has_labels)
    if test is None:
        raise RunError(f'data "{where}": found no test split with labels; expected test, validation or val')
    image_column, label_column = column(train, where, *_IMAGES), column(train, where, *_LABELS)
    openers = [_Opener(data, image_column) for data in (train, test)]
    labels = [torch.tensor(list(data[label_column])) for data in (train, test)]
    names = getattr(train.features[label_column], "names", None)
    classes = tuple(names or map(str, range(int(labels[0].max()) + 1)))
    if max(openers[0](0).size) <= _SMALL:
        pixels = [_pixels(opener, where) for opener in openers]
        splits = [Pixels(images, classes_) for images, classes_ in zip(pixels, labels, strict=True)]
        return ImageSet(splits[0], splits[1], classes, *moments(pixels[0]), (file,))
    seen, unseen = (Pictures(*pair, side=side, workers=workers) for pair in zip(openers, labels, strict=True))
    return ImageSet(seen, unseen, classes, *IMAGENET, (file,))


def _has_labels(split: "Dataset") -> bool:
    """Say whether the classes of a split are known: contests keep those of their test, and write -1."""
    found = next((name for name in _LABELS if name in split.column_names), None)
    return found is None or min(split[found]) >= 0


def _pixels(opener: _Opener, where: str) -> Tensor:
    import numpy as np

    pictures = [opener(index) for index in range(len(opener.data))]
    arrays = [np.array(picture if picture.mode == "L" else picture.convert("RGB")) for picture in pictures]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise RunError(f'data "{where}": found images of {len(shapes)} sizes; expected one, as the first is small')
    images = torch.from_numpy(np.stack(arrays))
    return images.unsqueeze(1) if images.dim() == 3 else images.permute(0, 3, 1, 2).contiguous()
