"""A user's own images, as small as a test needs them."""

import gzip
import struct
from pathlib import Path


def write_images(
    folder: Path,
    *,
    train_labels: list[int],
    test_labels: list[int],
    size: tuple[int, int] = (8, 8),
    test_size: tuple[int, int] | None = None,
) -> None:
    """Write the four IDX files of a folder of images."""
    for split, labels, shape in (("train", train_labels, size), ("t10k", test_labels, test_size or size)):
        count = len(labels)
        pixels = bytes(i * 7 % 256 for i in range(count * shape[0] * shape[1]))
        _write(folder / f"{split}-images-idx3-ubyte.gz", (count, *shape), pixels)
        _write(folder / f"{split}-labels-idx1-ubyte.gz", (count,), bytes(labels))


def _write(path: Path, shape: tuple[int, ...], content: bytes) -> None:
    header = bytes((0, 0, 8, len(shape))) + struct.pack(f">{len(shape)}I", *shape)
    path.write_bytes(gzip.compress(header + content))
