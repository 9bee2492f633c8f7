"""What is known of public data sets without having them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from lionkit_lab.data import HUB_PREFIX


@dataclass(frozen=True)
class Images:
    """A set of labelled images.

    Attributes:
        train: Training images.
        test: Test images.
        shape: Channels, height and width of an image; None for pictures of many sizes, in colour.
        classes: Classes.
        disk: Bytes on the disk.
    """

    train: int
    test: int
    shape: tuple[int, int, int] | None
    classes: int
    disk: int


@dataclass(frozen=True)
class Text:
    """A corpus.

    Attributes:
        train: Bytes of the training documents; all of them where the corpus comes without a test split.
        test: Bytes of the test documents; 0 where it comes without.
        disk: Bytes on the disk.
    """

    train: int
    test: int
    disk: int


_Known = TypeVar("_Known", Images, Text)

_CIFAR = (3, 32, 32)

IMAGES: dict[str, Images] = {
    "fashion-mnist": Images(60_000, 10_000, (1, 28, 28), 10, 30_878_645),
    "cifar10": Images(50_000, 10_000, _CIFAR, 10, 139_000_000),
    "datasets:uoft-cs/cifar10": Images(50_000, 10_000, _CIFAR, 10, 144_000_000),
    "datasets:uoft-cs/cifar100": Images(50_000, 10_000, _CIFAR, 100, 142_000_000),
    "datasets:ILSVRC/imagenet-1k": Images(1_281_167, 50_000, None, 1000, 167_000_000_000),
}
"""By what a recipe calls them. What `datasets` downloads is told in round numbers."""

TEXTS: dict[str, Text] = {
    "sotu": Text(9_643_186, 1_118_227, 10_761_413),
    "datasets:Skylion007/openwebtext": Text(39_769_000_000, 0, 40_000_000_000),
    "datasets:Salesforce/wikitext:wikitext-103-raw-v1": Text(541_000_000, 1_290_000, 550_000_000),
}
"""By what a recipe calls them."""

BYTES_PER_TOKEN = 4.4
"""Of English in a vocabulary of 30,000 or 50,000; OpenWebText's 39.8 GB are 9.04 billion tokens of GPT-2."""


def known(place: str, sets: Mapping[str, _Known]) -> _Known | None:
    """Return what is known of a place: by its name, or by the last part of the path that it was downloaded to."""
    if place in sets or not place.startswith((f"{HUB_PREFIX}.", f"{HUB_PREFIX}/")):
        return sets.get(place)
    last = place.rpartition("/")[2]
    return next((found for name, found in sets.items() if name.endswith(f"/{last}")), None)
