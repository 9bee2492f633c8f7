"""Image folders: train/CLASS/*.jpg beside val/CLASS/*.jpg, as ImageNet is usually unpacked."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lionkit_lab.data._files import DataFile
from lionkit_lab.data.images._bundle import listing
from lionkit_lab.data.images._moments import IMAGENET
from lionkit_lab.data.images._pictures import Pictures
from lionkit_lab.data.images._set import ImageSet
from lionkit_lab.errors import RunError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".webp"))
_TEST = ("val", "test", "valid", "validation")


@dataclass(frozen=True)
class _Opener:
    """Opens the pictures of a split by their index; a class, so that a worker process can have it."""

    paths: tuple[str, ...]

    def __call__(self, index: int) -> "Image":
        from PIL import Image, UnidentifiedImageError

        path = self.paths[index]
        try:
            with Image.open(path) as picture:
                picture.load()
                return picture
        except FileNotFoundError as error:
            raise RunError(f"data file {path}: not found") from error
        except (UnidentifiedImageError, OSError, SyntaxError) as error:  # Pillow's words for a damaged file
            raise RunError(f"data file {path}: does not decode ({error}); expected an image") from error


def is_image_folder(path: Path) -> bool:
    """Say whether ``path`` has the folder ``train``, and in it folders alone."""
    train = path / "train"
    return train.is_dir() and any(entry.is_dir() for entry in train.iterdir())


def load_folder(path: Path, side: int = 224, workers: int = 1) -> ImageSet:
    """Load an image folder; no picture is decoded before it is asked for.

    The test split is the first that is there of ``val``, ``test``, ``valid`` and ``validation``. Pixels are
    standardised by the mean and standard deviation that are usual for ImageNet.

    Args:
        path: The folder with ``train`` in it.
        side: Side in pixels of what a model sees, at least 1.
        workers: Threads that decode, at least 1.

    Raises:
        RunError: A split is missing or empty, or the test split has a class that training does not have.
    """
    test = next((path / name for name in _TEST if (path / name).is_dir()), None)
    if test is None:
        raise RunError(f"data {path}: found no test split; expected one of the folders {', '.join(_TEST)}")
    classes = _classes(path / "train")
    seen, seen_files = _split(path / "train", classes, side, workers)
    unseen, unseen_files = _split(test, classes, side, workers)
    return ImageSet(seen, unseen, tuple(classes), *IMAGENET, (seen_files, unseen_files))


def _classes(train: Path) -> list[str]:
    classes = sorted(entry.name for entry in os.scandir(train) if entry.is_dir()) if train.is_dir() else []
    if not classes:
        raise RunError(f"data {train}: found no class folders; expected {train.name}/CLASS/*.jpg")
    return classes


def _split(folder: Path, classes: list[str], side: int, workers: int) -> tuple[Pictures, DataFile]:
    unseen = sorted(set(_classes(folder)) - set(classes))
    if unseen:
        raise RunError(f"data {folder}: found class {unseen[0]}; expected the classes of the training images")
    found = [(*picture, label) for label, name in enumerate(classes) for picture in _pictures(folder / name)]
    if not found:
        raise RunError(f"data {folder}: found no images; expected files that end in {', '.join(sorted(SUFFIXES))}")
    labels = torch.tensor([label for *_, label in found])
    pictures = Pictures(_Opener(tuple(path for path, *_ in found)), labels, side=side, workers=workers)
    return pictures, listing(folder, [(f"{Path(path).parent.name}/{Path(path).name}", size) for path, size, _ in found])


def _pictures(folder: Path) -> list[tuple[str, int]]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted((e.path, e.stat().st_size) for e in entries if Path(e.name).suffix.lower() in SUFFIXES)
