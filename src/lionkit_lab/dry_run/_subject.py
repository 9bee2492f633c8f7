"""What a recipe trains, and on how much."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from lionkit_lab.tasks import Batch


@dataclass(frozen=True)
class Subject:
    """A network and its data.

    Attributes:
        network: Builds the network.
        batch: Makes a batch of so many samples, as its data would give.
        train: Training samples; None where nobody knows before the data are there.
        test: Test samples, or None.
        exact: Whether the two are counted, and not estimated from the bytes of a text.
        tokens: Tokens or characters of a sample; None of images.
        disk: Bytes of the data on the disk, and of the tokens that are made of them; None where nobody knows.
    """

    network: Callable[[], nn.Module]
    batch: Callable[[int], Batch]
    train: int | None
    test: int | None
    exact: bool
    tokens: int | None
    disk: int | None
