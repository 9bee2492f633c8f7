"""Grey images with labels in the IDX format of MNIST and Fashion-MNIST."""

import math
import struct
from pathlib import Path

import torch
from torch import Tensor

from lionkit_lab.data._embedded import read_described
from lionkit_lab.data._files import DataFile
from lionkit_lab.errors import RunError

_UNSIGNED_BYTE = 0x08


def load_idx(folder: Path) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor], tuple[DataFile, ...]]:
    """Load the four IDX files of ``folder`` as they are.

    Returns:
        Training images (n, 1, height, width), uint8, with labels (n,), int64; the same for the test; what was read.

    Raises:
        RunError: A file is missing, damaged, or does not fit its companion.
    """
    train, train_files = _load_split(folder, "train")
    test, test_files = _load_split(folder, "t10k")
    _check_test(folder, train, test)
    return train, test, (*train_files, *test_files)


def _check_test(folder: Path, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]) -> None:
    found, expected = (" x ".join(map(str, images.shape[2:])) for images, _ in (test, train))
    if found != expected:
        path = folder / "t10k-images-idx3-ubyte.gz"
        raise RunError(f"data file {path}: found images of {found} pixels; expected {expected}, as in training")
    unseen = sorted(set(test[1].tolist()) - set(train[1].tolist()))
    if unseen:
        # A model has one output for each class that it is trained on.
        path = folder / "t10k-labels-idx1-ubyte.gz"
        raise RunError(f"data file {path}: found label {unseen[0]}; expected the labels of the training images")


def _load_split(folder: Path, split: str) -> tuple[tuple[Tensor, Tensor], tuple[DataFile, DataFile]]:
    image_path, label_path = folder / f"{split}-images-idx3-ubyte.gz", folder / f"{split}-labels-idx1-ubyte.gz"
    images, image_file = _read_idx(image_path, num_dims=3)
    labels, label_file = _read_idx(label_path, num_dims=1)
    if len(images) != len(labels):
        raise RunError(f"data file {label_path}: found {len(labels)} labels; expected {len(images)}")
    return (images.unsqueeze(1), labels.long()), (image_file, label_file)


def _read_idx(path: Path, num_dims: int) -> tuple[Tensor, DataFile]:
    content, file = read_described(path)
    header = 4 + 4 * num_dims
    magic = bytes((0, 0, _UNSIGNED_BYTE, num_dims))
    if content[:4] != magic or len(content) < header:
        raise RunError(f"data file {path}: found the start {content[:4].hex()}; expected {magic.hex()} (IDX)")
    shape = struct.unpack(f">{num_dims}I", content[4:header])
    found, expected = len(content) - header, math.prod(shape)
    if found != expected or expected == 0:
        raise RunError(f"data file {path}: found {found} bytes of data; expected {expected} for {shape}")
    # bytearray: torch warns about a buffer that it may not write to.
    return torch.frombuffer(bytearray(content[header:]), dtype=torch.uint8).reshape(shape), file
