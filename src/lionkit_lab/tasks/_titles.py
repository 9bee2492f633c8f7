"""What people call data."""

from pathlib import Path

_KNOWN = {
    "cifar10": "CIFAR-10",
    "fashion-mnist": "Fashion-MNIST",
    "sotu": "State of the Union",
    "uoft-cs/cifar10": "CIFAR-10",
    "uoft-cs/cifar100": "CIFAR-100",
    "ILSVRC/imagenet-1k": "ImageNet-1K",
    "Skylion007/openwebtext": "OpenWebText",
}


def title_of(data: str | None, shipped: str) -> str:
    """Return what to call a recipe's ``task.data``.

    Args:
        data: The recipe's.
        shipped: What to call the data that ship with the package.
    """
    if data is None:
        return shipped
    name = data.removeprefix("datasets:")
    return _KNOWN.get(name, name if name != data else Path(data).name)
