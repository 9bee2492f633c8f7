"""Pictures and pixels: what a test and a training epoch see of them, whatever the batch and the workers."""

import made_images as made
import numpy as np
import pytest
import torch
from PIL import Image

from lionkit_lab.data.images import Pixels, load_image_set
from lionkit_lab.errors import RunError

SIDE = 28


@pytest.fixture
def imagenet(tmp_path):
    """ImageNet as it is usually unpacked, of two classes and pictures of many sizes."""
    for name, size in {
        "train/n01440764/n01440764_18.JPEG": (60, 40),
        "train/n01440764/n01440764_2.JPEG": (40, 60),
        "train/n02102040/n02102040_7.JPEG": (33, 33),
        "val/n02102040/ILSVRC2012_val_00000009.JPEG": (70, 35),
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        made.smooth(*size).save(path, quality=95)
    Image.fromarray(np.full((50, 50), 77, np.uint8)).save(tmp_path / "train/n02102040/grey.png")
    (tmp_path / "train/n02102040/notes.txt").touch()
    return tmp_path


def test_an_image_folder_is_listed_by_class(imagenet):
    found = load_image_set(imagenet, side=SIDE)
    assert found.classes == ("n01440764", "n02102040")
    assert found.train.labels.tolist() == [0, 0, 1, 1]
    assert found.test.labels.tolist() == [1]
    assert found.mean == (0.485, 0.456, 0.406)
    assert found.train.plain(made.indices(0, 3)).shape == (2, 3, SIDE, SIDE)
    # A grey picture has the same value in each channel.
    assert found.train.plain(made.indices(2)).unique().tolist() == [77]


def test_a_test_sees_the_middle(imagenet):
    """Of a picture that is linear in its coordinates the middle is known: 7/8 of the shorter side."""
    view = load_image_set(imagenet, side=SIDE).test.plain(made.indices(0))[0].float()
    seen = 35 * 224 / 256
    places = (np.arange(SIDE) + 0.5) * seen / SIDE - 0.5
    across = (places + (70 - seen) / 2) * 255 / 69
    down = (places + (35 - seen) / 2) * 255 / 34
    np.testing.assert_allclose(view[0], np.broadcast_to(across, (SIDE, SIDE)), atol=6)
    np.testing.assert_allclose(view[1], np.broadcast_to(down[:, None], (SIDE, SIDE)), atol=6)


def test_training_sees_parts_by_seed_epoch_and_index_alone(imagenet):
    one, two = (load_image_set(imagenet, side=SIDE, workers=workers).train for workers in (1, 3))
    together = one.augmented(made.indices(0, 1, 2, 3), 11, 4)
    assert torch.equal(together, two.augmented(made.indices(0, 1, 2, 3), 11, 4))
    assert torch.equal(together[made.indices(3, 0)], two.augmented(made.indices(3, 0), 11, 4))
    for other in (one.augmented(made.indices(0), 12, 4), one.augmented(made.indices(0), 11, 5)):
        assert not torch.equal(other[0], together[0])


def test_random_parts_have_the_areas_and_ratios_that_they_should(imagenet):
    """Red grows to the right and green downwards: a view's ranges give its box back."""
    train = load_image_set(imagenet, side=SIDE).train
    views = torch.cat([train.augmented(made.indices(0), 3, epoch) for epoch in range(300)]).float()
    across, down = views[:, 0].mean(1), views[:, 1].mean(2)
    width = (across[:, -1] - across[:, 0]) / 255 * 59 * SIDE / (SIDE - 1)
    height = (down[:, -1] - down[:, 0]).abs() / 255 * 39 * SIDE / (SIDE - 1)
    area, ratio = (width.abs() * height) / (60 * 40), width.abs() / height
    assert 0.05 < area.min() < 0.15
    assert 0.8 < area.max() < 1.05
    assert 0.65 < ratio.min() < 0.85
    assert 1.2 < ratio.max() < 1.5
    assert 110 < (width < 0).sum() < 190  # mirrored: half of 300, within 4.6 standard deviations


def test_a_picture_is_opened_only_when_it_is_asked_for(imagenet):
    damaged = imagenet / "train/n01440764/n01440764_18.JPEG"
    damaged.write_bytes(damaged.read_bytes()[:300])
    train = load_image_set(imagenet, side=SIDE).train
    train.plain(made.indices(1, 2, 3))
    with pytest.raises(RunError, match=r"n01440764_18.JPEG: does not decode"):
        train.plain(made.indices(0))
    damaged.unlink()
    with pytest.raises(RunError, match=r"n01440764_18.JPEG: not found"):
        train.augmented(made.indices(0), 0, 0)


def test_an_image_folder_that_lacks_something_is_named(imagenet):
    (imagenet / "val/dog").mkdir()
    with pytest.raises(RunError, match="found class dog; expected the classes of the training images"):
        load_image_set(imagenet)
    (imagenet / "val/dog").rmdir()
    (imagenet / "val/n02102040/ILSVRC2012_val_00000009.JPEG").unlink()
    with pytest.raises(RunError, match="val: found no images; expected files that end in"):
        load_image_set(imagenet)
    (imagenet / "val/n02102040").rmdir()
    with pytest.raises(RunError, match="val: found no class folders"):
        load_image_set(imagenet)
    (imagenet / "val").rmdir()
    with pytest.raises(RunError, match="found no test split; expected one of the folders val, test"):
        load_image_set(imagenet)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A data set as the hub has it: three pictures, of which the last is the test."""
    import datasets

    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    features = datasets.Features({"img": datasets.Image(), "fine_label": datasets.ClassLabel(names=["ant", "bee"])})

    def make(pictures):
        for split, rows in (("train", (0, 1)), ("test", (2,))):
            data = {"img": [pictures[row] for row in rows], "fine_label": [row % 2 for row in rows]}
            datasets.Dataset.from_dict(data, features).to_parquet(tmp_path / "hub" / f"{split}-00000-of-00001.parquet")
        return f"datasets:{tmp_path / 'hub'}"

    return make


def test_large_images_by_name_are_pictures(hub, tmp_path):
    pictures = [made.smooth(80, 66), made.smooth(70, 90), made.smooth(65, 65)]
    found = load_image_set(hub(pictures), side=SIDE)
    assert found.classes == ("ant", "bee")
    assert found.train.labels.tolist() == [0, 1]
    path = tmp_path / "folder"  # The same pictures from files show the same views.
    for split, row in (("train", 0), ("train", 1), ("val", 2)):
        (path / split / "x").mkdir(parents=True, exist_ok=True)
        pictures[row].save(path / split / "x" / f"{row}.png")
    folder = load_image_set(path, side=SIDE)
    assert torch.equal(
        found.train.augmented(made.indices(0, 1), 3, 1), folder.train.augmented(made.indices(0, 1), 3, 1)
    )
    assert torch.equal(found.test.plain(made.indices(0)), folder.test.plain(made.indices(0)))


def test_small_images_by_name_are_pixels(hub):
    """CIFAR-100 by its name is what it is from its archive: never resized, cropped as small images are."""
    images = made.pixels(3)
    found = load_image_set(hub([Image.fromarray(image.transpose(1, 2, 0)) for image in images]))
    assert torch.equal(found.train.plain(made.indices(0, 1)), torch.from_numpy(images[:2]))
    assert torch.equal(found.test.plain(made.indices(0)), torch.from_numpy(images[2:]))
    np.testing.assert_allclose(found.mean, (images[:2] / 255).mean(axis=(0, 2, 3)), rtol=1e-12)
    grey = load_image_set(hub([Image.fromarray(image[0]) for image in images]))
    assert torch.equal(grey.train.plain(made.indices(1)), torch.from_numpy(images[1:2, :1]))
    with pytest.raises(RunError, match="found images of 2 sizes; expected one, as the first is small"):
        load_image_set(hub([made.smooth(32, 32), made.smooth(32, 31), made.smooth(32, 32)]))


@pytest.fixture
def pixels():
    return torch.from_numpy(made.pixels(40))


@pytest.mark.parametrize(("padding", "flip"), [(4, True), (2, False)])
def test_crops_are_places_of_the_padded_image(pixels, padding, flip):
    """Each view is found among all that are possible, and the places are spread over all of them."""
    split = Pixels(pixels, torch.zeros(40, dtype=torch.int64), padding=padding, flip=flip)
    padded = np.pad(pixels.numpy(), [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    seen = []
    for epoch in range(4):
        for index, view in enumerate(split.augmented(torch.arange(40), 7, epoch).numpy()):
            places = [
                (top, left, mirror)
                for top in range(2 * padding + 1)
                for left in range(2 * padding + 1)
                for mirror in (False, True)
                if np.array_equal(padded[index, :, top : top + 32, left : left + 32][..., :: -1 if mirror else 1], view)
            ]
            assert len(places) == 1
            seen += places
    tops, lefts, mirrors = zip(*seen, strict=True)
    assert set(tops) == set(lefts) == set(range(2 * padding + 1))
    assert (50 < sum(mirrors) < 110) if flip else not any(mirrors)
    assert abs(np.corrcoef(tops, lefts)[0, 1]) < 0.3


def test_crops_depend_on_seed_epoch_and_index_alone(pixels):
    split = Pixels(pixels, torch.zeros(40, dtype=torch.int64))
    together = split.augmented(torch.arange(40), 7, 3)
    again = Pixels(pixels, torch.zeros(40, dtype=torch.int64))
    again.augmented(made.indices(5), 1, 1)
    assert torch.equal(again.augmented(made.indices(31, 2), 7, 3), together[made.indices(31, 2)])
    for other in (split.augmented(torch.arange(40), 8, 3), split.augmented(torch.arange(40), 7, 4)):
        same = [torch.equal(one, two) for one, two in zip(other, together, strict=True)]
        assert sum(same) < 5


def test_without_padding_and_flip_nothing_changes(pixels):
    split = Pixels(pixels, torch.zeros(40, dtype=torch.int64), padding=0, flip=False)
    assert torch.equal(split.augmented(torch.arange(40), 7, 3), pixels)


def test_a_test_whose_labels_are_kept_secret_is_passed_over(hub, tmp_path):
    """As of ImageNet: its test split has -1 for every class, and people test on the validation split."""
    import datasets

    where = hub([made.smooth(80, 66), made.smooth(70, 90), made.smooth(65, 65)])
    secret = tmp_path / "hub" / "test-00000-of-00001.parquet"
    known = datasets.Dataset.from_parquet(str(secret), cache_dir=str(tmp_path / "home"))
    known.to_parquet(tmp_path / "hub" / "validation-00000-of-00001.parquet")
    known.map(lambda row: {"fine_label": -1}).to_parquet(secret)
    found = load_image_set(where, side=SIDE)
    assert found.test.labels.tolist() == [0]
    (tmp_path / "hub" / "validation-00000-of-00001.parquet").unlink()
    with pytest.raises(RunError, match="found no test split with labels; expected test, validation or val"):
        load_image_set(where, side=SIDE)


def test_of_no_indices_there_are_no_pictures(hub):
    found = load_image_set(hub([made.smooth(80, 66)] * 3), side=SIDE)
    none = torch.empty(0, dtype=torch.int64)
    for pixels in (found.train.plain(none), found.train.augmented(none, 3, 1)):
        assert (pixels.shape, pixels.dtype) == ((0, 3, SIDE, SIDE), torch.uint8)
