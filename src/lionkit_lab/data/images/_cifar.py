"""CIFAR-10 and CIFAR-100 as their authors ship them: pickles or plain records, in an archive or a folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lionkit_lab.data.images._bundle import Bundle
from lionkit_lab.data.images._moments import moments
from lionkit_lab.data.images._pickle import load_pickle
from lionkit_lab.data.images._pixels import Pixels
from lionkit_lab.data.images._set import ImageSet
from lionkit_lab.errors import RunError

SIDE = 32
_PIXELS = 3 * SIDE * SIDE

Labelled = tuple[Tensor, Tensor]
"""Images (n, 3, 32, 32), uint8, and labels (n,), int64."""


@dataclass(frozen=True)
class _Layout:
    """How one of the four archives is laid out."""

    train: tuple[str, ...]
    """Files of the training images."""
    test: str
    """File of the test images."""
    names: str
    """File of the classes' names."""
    labels: bytes = b""
    """Key of the labels in a pickle; empty for plain records."""
    names_key: bytes = b""
    """Key of the classes' names in a pickle."""
    label_bytes: int = 1
    """Bytes before the pixels of a plain record; the last of them is the label."""


_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
_LAYOUTS = (
    _Layout(_BATCHES, "test_batch", "batches.meta", b"labels", b"label_names"),
    _Layout(("train",), "test", "meta", b"fine_labels", b"fine_label_names"),
    _Layout(tuple(f"{name}.bin" for name in _BATCHES), "test_batch.bin", "batches.meta.txt"),
    _Layout(("train.bin",), "test.bin", "fine_label_names.txt", label_bytes=2),
)


def is_cifar(names: set[str]) -> bool:
    """Say whether a folder with files of these ``names`` is one of the four."""
    return any(layout.names in names for layout in _LAYOUTS)


def load_cifar(path: Path) -> ImageSet:
    """Load CIFAR-10 or CIFAR-100 from its archive, packed or not, in its Python or its binary version.

    CIFAR-100 has the 100 fine classes.

    Args:
        path: The ``.tar.gz``, or the folder that it unpacks to.

    Raises:
        RunError: A file is missing or damaged.
    """
    bundle = Bundle(path)
    layout = next((layout for layout in _LAYOUTS if layout.names in bundle.names()), None)
    if layout is None:
        expected = ", ".join(layout.names for layout in _LAYOUTS)
        raise RunError(f"data {path}: found none of {expected}; expected an archive of CIFAR")
    train = joined([_read(bundle, name, layout) for name in layout.train])
    test = _read(bundle, layout.test, layout)
    classes = _classes(bundle, layout)
    for _, labels in (train, test):
        check_labels(path, labels, len(classes))
    return image_set(train, test, classes, bundle)


def image_set(train: Labelled, test: Labelled, classes: Sequence[str], bundle: Bundle) -> ImageSet:
    """Make the set, standardised by its training pixels, with the usual augmentation."""
    mean, std = moments(train[0])
    return ImageSet(Pixels(*train), Pixels(*test), tuple(classes), mean, std, tuple(bundle.files))


def joined(parts: Sequence[Labelled]) -> Labelled:
    """Join the parts of a split."""
    return torch.cat([images for images, _ in parts]), torch.cat([labels for _, labels in parts])


def check_labels(path: Path, labels: Tensor, num_classes: int) -> None:
    """Refuse a label that no class has.

    Raises:
        RunError: There is one.
    """
    if int(labels.max()) >= num_classes:
        raise RunError(f"data {path}: found label {int(labels.max())}; expected labels below {num_classes}")


def _read(bundle: Bundle, name: str, layout: _Layout) -> Labelled:
    path, content = bundle.path / name, bundle.read(name)
    return _batch(path, content, layout.labels) if layout.labels else _records(path, content, layout.label_bytes)


def _batch(path: Path, content: bytes, key: bytes) -> Labelled:
    batch = load_pickle(path, content)
    images, labels = batch.get(b"data"), batch.get(key)
    if not isinstance(images, Tensor) or not isinstance(labels, list):
        found = ", ".join(sorted(str(name, "latin1") for name in batch))
        raise RunError(f"data file {path}: found {found}; expected data and {key.decode()}")
    if images.shape != (len(labels), _PIXELS) or not labels:
        found = f"data {tuple(images.shape)} and {len(labels)} labels"
        raise RunError(f"data file {path}: found {found}; expected (n, {_PIXELS}) and n of at least 1")
    return images.view(-1, 3, SIDE, SIDE), torch.tensor(labels)


def _records(path: Path, content: bytes, label_bytes: int) -> Labelled:
    record = label_bytes + _PIXELS
    if not content or len(content) % record:
        raise RunError(f"data file {path}: found {len(content):,} bytes; expected a multiple of {record}")
    records = torch.frombuffer(bytearray(content), dtype=torch.uint8).view(-1, record)
    return records[:, label_bytes:].reshape(-1, 3, SIDE, SIDE), records[:, label_bytes - 1].long()


def _classes(bundle: Bundle, layout: _Layout) -> list[str]:
    content = bundle.read(layout.names)
    if not layout.names_key:
        return content.decode().split()
    names: Any = load_pickle(bundle.path / layout.names, content).get(layout.names_key)
    if not isinstance(names, list):
        raise RunError(f"data file {bundle.path / layout.names}: expected {layout.names_key.decode()} in it")
    return [name.decode() for name in names]
