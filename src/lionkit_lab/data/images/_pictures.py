"""Pictures of any size that are decoded when they are asked for."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from lionkit_lab.data._random import generator
from lionkit_lab.data.images._set import Split
from lionkit_lab.data.images._views import middle, random_part

if TYPE_CHECKING:
    from PIL.Image import Image

Open = Callable[[int], "Image"]
"""Opens the picture of an index."""


@final
class Pictures(Split):
    """Pictures that are decoded when they are asked for.

    A test sees the middle of each of them, a training epoch a random part (see ``_views``).

    Args:
        open_: Opens the picture of an index; called from several threads.
        labels: (n,), int64.
        side: Side in pixels of what a model sees, at least 1.
        flip: Mirror half of the training pictures.
        workers: Threads that decode, at least 1; Pillow lets them run at the same time.
    """

    def __init__(self, open_: Open, labels: Tensor, *, side: int, flip: bool = True, workers: int = 1) -> None:
        self.labels, self.side, self.flip, self.workers = labels, side, flip, workers
        self._open = open_

    def plain(self, indices: Tensor) -> Tensor:
        """Decode the pictures and take their middles."""
        return self._stacked(lambda index: middle(self._rgb(index), self.side), indices)

    def augmented(self, indices: Tensor, seed: int, epoch: int) -> Tensor:
        """Decode the pictures and take a random part of each, by numbers of its own."""

        def view(index: int) -> "Image":
            random = generator("crop", seed, epoch, index)
            return random_part(self._rgb(index), self.side, random, flip=self.flip)

        return self._stacked(view, indices)

    def _rgb(self, index: int) -> "Image":
        return self._open(index).convert("RGB")

    def _stacked(self, view: Callable[[int], "Image"], indices: Tensor) -> Tensor:
        def pixels(index: int) -> Tensor:
            flat = torch.frombuffer(bytearray(view(index).tobytes()), dtype=torch.uint8)
            return flat.view(self.side, self.side, 3).permute(2, 0, 1)

        found = list(self._mapped(pixels, indices.tolist()))
        return torch.stack(found) if found else torch.empty(0, 3, self.side, self.side, dtype=torch.uint8)

    def _mapped(self, function: Callable[[int], Tensor], indices: list[int]) -> Iterable[Tensor]:
        if self.workers == 1:
            return map(function, indices)
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(function, indices))
