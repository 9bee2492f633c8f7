"""Find out which documents a place holds, and split them."""

from pathlib import Path
from typing import NamedTuple

from lionkit_lab.data import fetch
from lionkit_lab.data._hub import HUB_PREFIX
from lionkit_lab.data.language._articles import Articles
from lionkit_lab.data.language._corpus import Corpus, Passages, split
from lionkit_lab.data.language._hub_text import load_hub_text
from lionkit_lab.data.language._parquet import Parquet
from lionkit_lab.data.language._text_files import SUFFIXES, TextFiles, read_text, text_paths
from lionkit_lab.errors import RunError, UsageError

_TEST = ("test", "validation", "valid", "val")
_SOTU = "sotu"
_LAST_TRAINING_YEAR = 1990  # of the State of the Union
_FORMS = f"text files ({', '.join(SUFFIXES)}), parquet files, or a folder of them"
_WIKITEXT = "wikitext"

Corpora = tuple[Corpus, Corpus]
"""The documents to train on, and those of the test."""


def load_corpora(where: str | Path, *, column: str = "text", test_share: float = 0.1) -> Corpora:
    """Find documents, and split them into training and test.

    A split that the data come with is kept: files or folders named train and test (or validation, valid, val), or
    the splits of ``datasets``. Else the last documents are for the test; of one text file, its last characters.
    WikiText, known by its name, is put together into articles.

    Args:
        where: ``sotu``, once fetched (1790-1990, and 1991-2021 for the test); ``datasets:NAME``; or the path of a
            text file, a parquet file, or a folder of either.
        column: The column of the text, in parquet files and in ``datasets``.
        test_share: Share of the documents that are for the test, in (0, 1), where the data come without a split.

    Raises:
        UsageError: A name, a column or a share is not allowed.
        RunError: The data are missing or damaged.
    """
    if not 0 < test_share < 1:
        raise UsageError(f"test_share {test_share} is not allowed: must be in (0, 1)")
    if isinstance(where, str) and where.startswith(HUB_PREFIX):
        whole, test = load_hub_text(where, column)
        return _wikitext(where, _split(whole, test_share) if test is None else (whole, test))
    if where == _SOTU:
        return _sotu(fetch.here(_SOTU))
    path = Path(where)
    if path.is_dir():
        return _wikitext(path.name, _of_folder(path, column, test_share))
    if path.suffix == ".parquet":
        return _split(Parquet(path.name, [path], column), test_share)
    return _by_position(path.name, read_text(path), test_share)


def load_test(where: str | Path, *, column: str = "text") -> Corpus:
    """Find the documents of a test alone, and never split.

    Those that the data name for the test (or validation, valid, val), with or without any for training beside them;
    where they name none, all. WikiText, known by its name, is put together into articles.

    Args:
        where: As ``load_corpora`` has it.
        column: The column of the text, in parquet files and in ``datasets``.

    Raises:
        UsageError: A name or a column is not allowed.
        RunError: The data are missing or damaged.
    """
    if isinstance(where, str) and where.startswith(HUB_PREFIX):
        whole, test = load_hub_text(where, column)
        return _articles(where, whole if test is None else test)
    if where == _SOTU:
        return _sotu(fetch.here(_SOTU))[1]
    path = Path(where)
    if path.is_dir():
        files = _files(path)
        return _articles(path.name, _of_files(path, files.test or files.every, column))
    return Parquet(path.name, [path], column) if path.suffix == ".parquet" else Passages(path.name, (read_text(path),))


class _Files(NamedTuple):
    """Files of a folder: those named for training, those named for the test, and all where none need a name."""

    train: list[Path]
    test: list[Path]
    every: list[Path]


def _files(path: Path) -> _Files:
    parquet = sorted(path.rglob("*.parquet"))
    if parquet:
        return _named(parquet)
    folders = [text_paths(path / name) for name in _TEST if (path / name).is_dir()]
    named = _named(text_paths(path))
    if (path / "train").is_dir():
        train = text_paths(path / "train")
        return _Files(train, folders[0] if folders else [], train)
    return named._replace(test=folders[0]) if folders else named


def _named(paths: list[Path]) -> _Files:
    words = {path: path.name.lower().replace("-", ".").replace("_", ".").split(".") for path in paths}
    train = [path for path in paths if "train" in words[path]]
    test = next((found for name in _TEST if (found := [path for path in paths if name in words[path]])), [])
    return _Files(train, test, paths)


def _of_folder(path: Path, column: str, test_share: float) -> Corpora:
    train, test, every = _files(path)
    whole = _of_files(path, train or every, column)
    return (whole, _of_files(path, test, column)) if train and test else _split(whole, test_share)


def _of_files(path: Path, files: list[Path], column: str) -> Corpus:
    if not files:
        found = ", ".join(sorted(entry.name for entry in path.iterdir())[:5]) or "nothing"
        raise RunError(f"data {path}: found {found}; expected {_FORMS}")
    return Parquet(path.name, files, column) if files[0].suffix == ".parquet" else TextFiles(path.name, files)


def _sotu(folder: Path) -> Corpora:
    paths = [path for path in text_paths(folder) if path.name[:4].isdigit()]
    early = [int(path.name[:4]) <= _LAST_TRAINING_YEAR for path in paths]
    train, test = (
        [path for path, is_early in zip(paths, early, strict=True) if is_early is want] for want in (True, False)
    )
    return TextFiles("sotu-train", train), TextFiles("sotu-test", test)


def _wikitext(name: str, corpora: Corpora) -> Corpora:
    train, test = corpora
    return _articles(name, train), _articles(name, test)


def _articles(name: str, corpus: Corpus) -> Corpus:
    return Articles(corpus) if _WIKITEXT in name.lower() else corpus


def _split(corpus: Corpus, test_share: float) -> Corpora:
    if len(corpus) < 2:
        raise RunError(f'corpus "{corpus.name}": found {len(corpus)} documents; expected 2 or more: one for the test')
    return split(corpus, test_share)


def _by_position(name: str, text: str, test_share: float) -> Corpora:
    cut = round(len(text) * (1 - test_share))
    if not 0 < cut < len(text):
        raise RunError(f'corpus "{name}": found {len(text)} characters; expected enough to split')
    return Passages(name, (text[:cut],)), Passages(name, (text[cut:],))
