"""Views of one picture: the middle of it for a test, a random part of it for training."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.random import Generator
    from PIL.Image import Image

_TRIES = 10  # parts drawn before the middle is taken
_AREA = 0.08, 1.0  # least and largest share of the picture
_RATIO = 3 / 4, 4 / 3  # least and largest ratio of width to height
_MARGIN = 256 / 224  # a test's picture is this much larger than the part of it that is seen

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels of the picture."""


def middle(picture: "Image", side: int) -> "Image":
    """Return the central square of ``side`` pixels, after the shorter side was made 256 / 224 as long.

    References:
        Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", 2015, section 3.
    """
    seen = min(picture.size) / _MARGIN
    left, top = ((length - seen) / 2 for length in picture.size)
    return _resized(picture, (left, top, left + seen, top + seen), side)


def random_part(picture: "Image", side: int, random: "Generator", *, flip: bool) -> "Image":
    """Return a random part of 8% to 100% of the area and ratio 3/4 to 4/3, resized to ``side`` x ``side``.

    References:
        Szegedy et al., "Going deeper with convolutions", CVPR 2015, section 6.
    """
    from PIL.Image import Transpose

    mirror = flip and bool(random.random() < 0.5)
    part = _resized(picture, _box(picture.size, random), side)
    return part.transpose(Transpose.FLIP_LEFT_RIGHT) if mirror else part


def _box(size: tuple[int, int], random: "Generator") -> Box:
    for _ in range(_TRIES):
        area = size[0] * size[1] * random.uniform(*_AREA)
        ratio = math.exp(random.uniform(math.log(_RATIO[0]), math.log(_RATIO[1])))
        width, height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < width <= size[0] and 0 < height <= size[1]:
            left, top = random.integers(size[0] - width + 1), random.integers(size[1] - height + 1)
            return float(left), float(top), float(left + width), float(top + height)
    width = min(size[0], size[1] * _RATIO[1])
    height = min(size[1], size[0] / _RATIO[0])
    return (size[0] - width) / 2, (size[1] - height) / 2, (size[0] + width) / 2, (size[1] + height) / 2


def _resized(picture: "Image", box: Box, side: int) -> "Image":
    from PIL.Image import Resampling

    # The box is resampled in place: cutting it out first would cost a copy and round its edges to whole pixels.
    return picture.resize((side, side), Resampling.BILINEAR, box=box)
