"""Find out what a place holds, and load it."""

from pathlib import Path

from lionkit_lab.data import fetch
from lionkit_lab.data._embedded import FASHION_MNIST
from lionkit_lab.data._hub import HUB_PREFIX
from lionkit_lab.data._idx import load_idx
from lionkit_lab.data.images._bundle import ARCHIVES
from lionkit_lab.data.images._cifar import is_cifar, load_cifar
from lionkit_lab.data.images._folder import is_image_folder, load_folder
from lionkit_lab.data.images._hub_set import load_hub_images
from lionkit_lab.data.images._moments import moments
from lionkit_lab.data.images._pixels import Pixels
from lionkit_lab.data.images._set import ImageSet
from lionkit_lab.data.images._sheets import TRAIN_LABELS, load_sheets
from lionkit_lab.errors import RunError

_FORMS = "IDX files, a CIFAR archive or its folder, or train/CLASS/*.jpg beside val/CLASS/*.jpg"


def load_image_set(where: str | Path | None, *, side: int = 224, workers: int = 1) -> ImageSet:
    """Load labelled images.

    Args:
        where: ``fashion-mnist`` or ``cifar10``, once fetched; ``datasets:NAME``; or a path: a folder of four IDX files,
            a CIFAR archive or the folder in it, or an image folder. None is the part of Fashion-MNIST that ships with
            the package.
        side: Side in pixels of what a model sees, at least 1; images that all have one size keep it.
        workers: Threads that decode pictures, at least 1.

    Raises:
        UsageError: A name or a column is not known.
        RunError: The data are missing or damaged.
    """
    if isinstance(where, str) and where.startswith(HUB_PREFIX):
        return load_hub_images(where, side, workers)
    if where is None:
        return load_idx_set(FASHION_MNIST)
    path = fetch.here(where) if isinstance(where, str) and where in fetch.PACKAGES else Path(where)
    if path.name.endswith(ARCHIVES):
        return load_cifar(path)
    if not path.is_dir():
        raise RunError(f"data {path}: not found; expected {_FORMS}")
    names = {entry.name for entry in path.iterdir()}
    if TRAIN_LABELS in names:
        return load_sheets(path)
    if is_cifar(names):
        return load_cifar(path)
    if any(name.startswith("train-images-idx3") for name in names):
        return load_idx_set(path)
    if is_image_folder(path):
        return load_folder(path, side, workers)
    raise RunError(f"data {path}: found {', '.join(sorted(names)[:5]) or 'nothing'}; expected {_FORMS}")


def load_idx_set(folder: Path) -> ImageSet:
    """Load the four IDX files of ``folder``; classes are called by their numbers.

    Raises:
        RunError: A file is missing, damaged, or does not fit its companion.
    """
    train, test, files = load_idx(folder)
    classes = tuple(str(label) for label in range(int(train[1].max()) + 1))
    return ImageSet(Pixels(*train), Pixels(*test), classes, *moments(train[0]), files)
