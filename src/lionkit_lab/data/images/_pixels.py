"""Images that are in memory as pixels, with the usual augmentation of small ones."""

from typing import final

import torch
from torch import Tensor
from torch.nn import functional

from lionkit_lab.data._random import generator
from lionkit_lab.data.images._set import Split


@final
class Pixels(Split):
    """Images of one size, in memory.

    A training epoch sees each of them padded by zeros, cropped back to its size at a place of its own, and mirrored
    or not.

    Args:
        images: (n, channels, height, width), uint8.
        labels: (n,), int64.
        padding: Pixels on each side, at least 0; 0 leaves the place as it is.
        flip: Mirror half of them. Wrong for digits and letters.

    References:
        He et al., "Deep residual learning for image recognition", CVPR 2016, section 4.2.
    """

    def __init__(self, images: Tensor, labels: Tensor, *, padding: int = 4, flip: bool = True) -> None:
        self.images, self.labels = images, labels
        self.padding, self.flip = padding, flip
        self._drawn: tuple[tuple[int, int], Tensor] | None = None

    def plain(self, indices: Tensor) -> Tensor:
        """Return the images as they are."""
        return self.images[indices]

    def augmented(self, indices: Tensor, seed: int, epoch: int) -> Tensor:
        """Return the images, each cropped and mirrored by numbers of its own."""
        top, left, mirror = self._draws(seed, epoch)[indices].unbind(1)
        height, width = self.images.shape[2:]
        padded = functional.pad(self.images[indices], [self.padding] * 4)
        # A view of every place at which an image can be cropped: (b, channels, tops, lefts, height, width).
        places = padded.unfold(2, height, 1).unfold(3, width, 1)
        cropped = places[torch.arange(len(indices)), :, top, left]
        return torch.where(mirror.view(-1, 1, 1, 1) == 1, cropped.flip(-1), cropped)

    def _draws(self, seed: int, epoch: int) -> Tensor:
        """Return top, left and mirror of every image, (n, 3): a whole epoch is drawn in a millisecond, and kept."""
        if self._drawn is None or self._drawn[0] != (seed, epoch):
            places = 2 * self.padding + 1
            numbers = torch.from_numpy(generator("crop", seed, epoch, 0).random((len(self), 3)))
            self._drawn = (seed, epoch), (numbers * torch.tensor([places, places, 1 + self.flip])).long()
        return self._drawn[1]
