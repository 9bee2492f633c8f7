"""CIFAR in each of its forms, read elementwise alike; pickles that may not run anything."""

import os
import pickle

import made_images as made
import numpy as np
import pytest
import torch

from lionkit_lab.data.images import load_image_set
from lionkit_lab.data.images._pickle import load_pickle
from lionkit_lab.errors import RunError

LABELS, TEST_LABELS = np.array([0, 2, 1, 1, 0, 2, 2, 1, 0, 0]), np.array([2, 0, 1])
FORMS = {
    "cifar10 python": (made.cifar10_python, ("plane", "car", "bird")),
    "cifar100 python": (made.cifar100_python, ("ant", "bee", "cat")),
    "cifar10 binary": (made.cifar10_binary, ("plane", "car", "bird")),
    "cifar100 binary": (made.cifar100_binary, ("ant", "bee", "cat")),
}


@pytest.fixture
def images():
    return made.pixels(10), made.pixels(3)


def packed(form, images, tmp_path, *, as_archive):
    files = form(images[0], LABELS, (images[1], TEST_LABELS))
    return made.tar_gz(tmp_path / "made.tar.gz", files) if as_archive else made.folder(tmp_path, files)


@pytest.mark.parametrize("as_archive", [True, False])
@pytest.mark.parametrize("name", FORMS)
def test_each_form_is_read_as_it_is(name, as_archive, images, tmp_path):
    form, classes = FORMS[name]
    found = load_image_set(packed(form, images, tmp_path, as_archive=as_archive))
    assert torch.equal(found.train.plain(torch.arange(10)), torch.from_numpy(images[0]))
    assert torch.equal(found.test.plain(torch.arange(3)), torch.from_numpy(images[1]))
    assert found.train.labels.tolist() == LABELS.tolist()
    assert found.test.labels.tolist() == TEST_LABELS.tolist()
    assert found.classes == classes
    assert len({file.sha256 for file in found.files}) == len(found.files) >= 3


def test_the_npm_sheets_are_read_as_they_are(images, tmp_path):
    path = made.folder(tmp_path, made.sheets(images[0], LABELS, (images[1], TEST_LABELS)))
    found = load_image_set(path)
    assert torch.equal(found.train.plain(torch.arange(10)), torch.from_numpy(images[0]))
    assert torch.equal(found.test.plain(torch.arange(3)), torch.from_numpy(images[1]))
    assert found.train.labels.tolist() == LABELS.tolist()
    assert found.classes[2] == "bird"


def test_pixels_are_standardised_by_the_training_images(images, tmp_path):
    found = load_image_set(packed(made.cifar10_python, images, tmp_path, as_archive=False))
    exact = images[0].astype(np.float64) / 255
    np.testing.assert_allclose(found.mean, exact.mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(found.std, exact.std(axis=(0, 2, 3)), rtol=1e-12)
    standardised = found.standardise(found.test.plain(torch.arange(3)))
    expected = (images[1] / 255 - np.array(found.mean)[:, None, None]) / np.array(found.std)[:, None, None]
    torch.testing.assert_close(standardised, torch.from_numpy(expected).float(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_batch_that_python_3_has_pickled_is_read_alike(protocol):
    rows = np.asfortranarray(made.pixels(2).reshape(2, -1))
    batch = load_pickle("there", pickle.dumps({b"data": rows, b"labels": [1, 2]}, protocol))
    assert batch[b"labels"] == [1, 2]
    assert torch.equal(batch[b"data"], torch.from_numpy(rows))


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps({b"data": Evil()}), "it names (posix|nt).system, which is not allowed"),
        (pickle.dumps({b"data": print}), "it names builtins.print, which is not allowed"),
        (pickle.dumps({b"data": np.zeros(3)}), "found an array of f8; expected u1"),
        (pickle.dumps([1]), "found a pickled list; expected a dict"),
        (b"", "does not unpickle"),
        (made.Python2().dict({"data": made.pixels(1)[0, 0]})[:500], "does not unpickle"),
    ],
)
def test_a_pickle_may_hold_nothing_but_data(content, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match=f"data file there: .*{message}"):
        load_pickle("there", content)
    assert not list(tmp_path.iterdir())


def test_a_truncated_archive_is_named(images, tmp_path):
    path = packed(made.cifar100_python, images, tmp_path, as_archive=True)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(RunError, match=r"made.tar.gz: found 20,000 bytes that do not unpack"):
        load_image_set(path)
    with pytest.raises(RunError, match=r"gone.tar.gz: not found"):
        load_image_set(tmp_path / "gone.tar.gz")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cifar-10-batches-py/test_batch", None, "test_batch: not found"),
        ("cifar-10-batches-py/test_batch", {"labels": [0]}, "found labels; expected data and labels"),
        (
            "cifar-10-batches-py/test_batch",
            {"data": made.pixels(2).reshape(2, -1), "labels": [0]},
            "data .2, 3072. and 1",
        ),
        (
            "cifar-10-batches-py/test_batch",
            {"data": made.pixels(1).reshape(1, -1), "labels": [3]},
            "label 3; .* below 3",
        ),
        ("cifar-10-batches-py/batches.meta", {"names": []}, "expected label_names in it"),
    ],
)
def test_a_damaged_folder_is_named(name, content, message, images, tmp_path):
    path = packed(made.cifar10_python, images, tmp_path, as_archive=False)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(made.Python2().dict(content))
    with pytest.raises(RunError, match=message):
        load_image_set(path)


def test_records_of_another_length_are_named(images, tmp_path):
    path = packed(made.cifar100_binary, images, tmp_path, as_archive=False)
    (path / "test.bin").write_bytes(b"1" * 3075)
    with pytest.raises(RunError, match=r"test.bin: found 3,075 bytes; expected a multiple of 3074"):
        load_image_set(path)


def test_a_damaged_sheet_is_named(images, tmp_path):
    path = made.folder(tmp_path, made.sheets(images[0], LABELS, (images[1], TEST_LABELS)))
    sheet = path / "data_batch_3.png"
    content = sheet.read_bytes()
    sheet.write_bytes(content[: len(content) // 2])
    with pytest.raises(RunError, match=r"data_batch_3.png: does not decode"):
        load_image_set(path)
    sheet.write_bytes(content)
    (path / "train_lables.json").write_text("[0]")
    with pytest.raises(RunError, match=r"train_lables.json: found 1 labels; expected 10"):
        load_image_set(path)


def test_a_place_without_images_says_what_is_read(tmp_path):
    with pytest.raises(RunError, match="nowhere: not found; expected IDX files, a CIFAR archive"):
        load_image_set(tmp_path / "nowhere")
    (tmp_path / "notes").touch()
    with pytest.raises(RunError, match="found notes; expected IDX files, a CIFAR archive"):
        load_image_set(tmp_path)
