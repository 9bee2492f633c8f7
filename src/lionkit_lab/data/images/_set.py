"""Labelled images: what every source of them looks like to a task."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from lionkit_lab.data._files import DataFile


class Split(ABC):
    """One half of a set: labelled images, of which a batch is made as it is asked for."""

    labels: Tensor
    """The classes, (n,), int64."""

    def __len__(self) -> int:
        return len(self.labels)

    @abstractmethod
    def plain(self, indices: Tensor) -> Tensor:
        """Return the images as a test or a logging epoch sees them.

        Args:
            indices: Which, (b,), int64, each in [0, n).

        Returns:
            Pixels, (b, channels, height, width), uint8.
        """

    @abstractmethod
    def augmented(self, indices: Tensor, seed: int, epoch: int) -> Tensor:
        """Return the images as a training epoch sees them: a function of seed, epoch and index alone.

        Args:
            indices: Which, (b,), int64, each in [0, n).
            seed: The run's seed, at least 0.
            epoch: Number of the epoch, at least 0.

        Returns:
            Pixels, (b, channels, height, width), uint8.
        """


@dataclass(frozen=True)
class ImageSet:
    """A labelled set of images, split into training and test."""

    train: Split
    """What is trained on."""
    test: Split
    """What is tested on; its classes are among those of ``train``."""
    classes: tuple[str, ...]
    """Name of each class; labels are indices into them."""
    mean: tuple[float, ...]
    """Mean of each channel, of pixels in [0, 1]."""
    std: tuple[float, ...]
    """Standard deviation of each channel, of pixels in [0, 1]."""
    files: tuple[DataFile, ...]
    """What was read."""

    def standardise(self, pixels: Tensor) -> Tensor:
        r"""Return $(p / 255 - \mu_c) / \sigma_c$ for each pixel $p$ of channel $c$.

        Args:
            pixels: (b, channels, height, width), uint8.

        Returns:
            The same shape, float32.
        """
        mean, std = (torch.tensor(numbers).view(-1, 1, 1) for numbers in (self.mean, self.std))
        return (pixels / 255 - mean) / std
