"""A folder of files, or the archive that such a folder is shipped in: the same to whoever reads it."""

import hashlib
import tarfile
import zlib
from pathlib import Path

from lionkit_lab.data._files import DataFile, describe, read
from lionkit_lab.errors import RunError

ARCHIVES = (".tar.gz", ".tgz", ".tar")


class Bundle:
    """The files of a folder or of a tar archive, by the last part of their names.

    Args:
        path: The folder or the archive.

    Raises:
        RunError: It is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: list[DataFile] = []
        self._members = None if path.is_dir() else _members(path)

    def names(self) -> set[str]:
        """Return the names of the files."""
        if self._members is None:
            return {path.name for path in self.path.iterdir()}
        return set(self._members)

    def read(self, name: str) -> bytes:
        """Read a file and note it in ``files``.

        Raises:
            RunError: There is no such file, or it cannot be read.
        """
        if self._members is None:
            content = read(self.path / name)
        elif name in self._members:
            content = self._members[name]
        else:
            raise RunError(f"archive {self.path}: found no {name}; found {', '.join(sorted(self._members))}")
        self.files.append(describe(Path(name), content))
        return content


def _members(path: Path) -> dict[str, bytes]:
    try:
        with tarfile.open(path) as tar:
            files = ((member.name, tar.extractfile(member)) for member in tar if member.isfile())
            return {Path(name).name: file.read() for name, file in files if file}
    except FileNotFoundError as error:
        raise RunError(f"data file {path}: not found") from error
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        size = f"{path.stat().st_size:,} bytes that do not unpack ({error})"
        raise RunError(f"data file {path}: found {size}; expected a whole tar archive") from error


def listing(path: Path, names: list[tuple[str, int]]) -> DataFile:
    """Describe a folder of very many files by the hash of their names and sizes."""
    content = "\n".join(f"{name} {size}" for name, size in names).encode()
    return DataFile(
        path.name, hashlib.sha256(content).hexdigest(), source="local folder: names and sizes", license="unknown"
    )
