"""Data: the embedded files are the shipped ones, a user's are read alike, damage is named."""

import gzip
import hashlib
import shutil
from pathlib import Path

import pytest
import torch
from idx_files import write_images

from lionkit_lab.data import _embedded, load_text
from lionkit_lab.data.images import load_idx_set, load_image_set
from lionkit_lab.errors import RunError

IMAGES = "train-images-idx3-ubyte.gz"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(_embedded.FASHION_MNIST, tmp_path / "mine"))


def test_embedded_images_are_balanced_and_standardised() -> None:
    images = load_image_set(None)
    pixels = images.standardise(images.train.plain(torch.arange(4000)))
    assert pixels.shape == (4000, 1, 28, 28)
    assert torch.bincount(images.train.labels).tolist() == [400] * 10
    assert torch.bincount(images.test.labels).tolist() == [100] * 10
    std, mean = torch.std_mean(pixels)
    torch.testing.assert_close((mean, std), (torch.tensor(0.0), torch.tensor(1.0)), atol=1e-4, rtol=0)
    assert {file.license for file in images.files} == {"MIT"}


def test_embedded_text_is_split_by_position() -> None:
    text = load_text(None)
    assert len(text.vocabulary) == 83
    assert len(text.train) == int(0.9 * (len(text.train) + len(text.test)))
    assert "".join(text.vocabulary[i] for i in text.train[:8]) == "CHAPTER "
    assert text.files[0].license == "CC0-1.0 AND PDDL-1.0"


def test_each_embedded_set_ships_its_licence() -> None:
    assert "Copyright (c) 2017 Zalando SE" in (_embedded.FASHION_MNIST / "LICENSE").read_text()
    assert "CC0-1.0" in (_embedded.MOBY_DICK.parent / "LICENSE").read_text()


def test_a_users_folder_is_read_alike_and_hashed_unpacked(folder: Path) -> None:
    # Packed otherwise: the same data must have the same hash.
    (folder / IMAGES).write_bytes(gzip.compress(gzip.decompress((folder / IMAGES).read_bytes()), 1))
    mine, embedded = load_idx_set(folder), load_image_set(None)
    assert torch.equal(*(images.train.plain(torch.arange(4000)) for images in (mine, embedded)))
    assert [file.sha256 for file in mine.files] == [file.sha256 for file in embedded.files]
    assert {file.source for file in mine.files} == {"local file"}


def test_a_users_text_may_be_plain(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("abcabcabca", encoding="utf-8")
    text = load_text(path)
    assert (text.train.tolist(), text.test.tolist()) == ([0, 1, 2, 0, 1, 2, 0, 1, 2], [0])
    assert text.files[0].sha256 == hashlib.sha256(b"abcabcabca").hexdigest()


def test_a_truncated_file_is_named(folder: Path) -> None:
    path = folder / IMAGES
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(RunError, match=rf"{IMAGES}: found 1,000 bytes that do not unpack .*; expected a whole gzip"):
        load_idx_set(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes.fromhex("00000803 00000002 0000001c 0000001c") + bytes(100), "found 100 bytes of data; expected 1568"),
        (b"PNG", r"found the start 504e47; expected 00000803 \(IDX\)"),
        (bytes.fromhex("00000803 00000001 00000002 00000002 01020304"), "found 4000 labels; expected 1"),
    ],
)
def test_a_file_of_another_form_is_refused(folder: Path, content: bytes, message: str) -> None:
    (folder / IMAGES).write_bytes(gzip.compress(content))
    with pytest.raises(RunError, match=message):
        load_idx_set(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / IMAGES).unlink()
    with pytest.raises(RunError, match=f"{IMAGES}: not found"):
        load_idx_set(folder)


def test_a_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes(b"caf\xe9")
    with pytest.raises(RunError, match="found byte 3 that is not UTF-8"):
        load_text(path)


def test_a_text_that_is_empty_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.txt"
    path.touch()
    with pytest.raises(RunError, match=r"empty.txt: found 0 characters; expected text"):
        load_text(path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"test_labels": [0, 9]},
            "t10k-labels-idx1-ubyte.gz: found label 9; expected the labels of the training images",
        ),
        (
            {"test_labels": [1, 2]},
            "t10k-labels-idx1-ubyte.gz: found label 1; expected the labels of the training images",
        ),
        (
            {"test_labels": [0], "test_size": (8, 9)},
            "t10k-images-idx3-ubyte.gz: found images of 8 x 9 pixels; expected 8 x 8, as in training",
        ),
    ],
)
def test_a_test_split_that_does_not_fit_training_is_refused(tmp_path: Path, files: dict, message: str) -> None:
    write_images(tmp_path, train_labels=[0, 2, 0], **files)
    with pytest.raises(RunError, match=message):
        load_idx_set(tmp_path)


def test_an_embedded_file_that_was_changed_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(gzip.decompress((folder / IMAGES).read_bytes()))
    content[5000] ^= 1
    (folder / IMAGES).write_bytes(gzip.compress(bytes(content)))
    monkeypatch.setattr(_embedded, "FOLDER", folder.parent)
    with pytest.raises(RunError, match=f"{IMAGES}: found sha256 .*; expected 79d623ae.*; install the package again"):
        load_idx_set(folder)
