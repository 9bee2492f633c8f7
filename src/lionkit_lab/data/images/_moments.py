"""Mean and standard deviation of the pixels, by channel."""

import torch
from torch import Tensor

Moments = tuple[tuple[float, ...], tuple[float, ...]]

# Of ImageNet's training images, as its literature has used them since 2014: nobody computes them over 1.28 M files.
IMAGENET: Moments = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def moments(pixels: Tensor) -> Moments:
    """Return mean and (population) standard deviation of each channel, of pixels divided by 255.

    They come from a count of the 256 values: exact to float64, and 8 times smaller than a float copy of the images.

    Args:
        pixels: (n, channels, height, width), uint8, n at least 1.
    """
    counts = torch.stack([torch.bincount(channel.flatten(), minlength=256) for channel in pixels.unbind(1)]).double()
    values = torch.arange(256, dtype=torch.float64) / 255
    shares = counts / counts.sum(dim=1, keepdim=True)
    mean = shares @ values
    std = (shares @ values**2 - mean**2).clamp_min(0).sqrt()
    return tuple(mean.tolist()), tuple(std.tolist())
