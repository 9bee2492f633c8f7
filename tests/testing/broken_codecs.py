"""Codecs that break one law on purpose; some break others with it."""

import torch

from lionkit.momentum import INT8

ERROR = 1 / 64


class Delegate:
    """Keeps every law."""

    def zeros(self, numel, device):
        return INT8.zeros(numel, device)

    def encode(self, momentum, noise=None):
        return INT8.encode(momentum, noise)

    def decode(self, codes, scales, shape):
        return INT8.decode(codes, scales, shape)


class LosesSmallNumbers(Delegate):
    def encode(self, momentum, noise=None):
        small = momentum.abs() < 1e-3 * momentum.abs().max() if momentum.numel() else momentum.bool()
        return INT8.encode(momentum.masked_fill(small, 0.0), noise)


class LosesSignsToNoise(Delegate):
    """Rounds nothing wrong where there is no noise."""

    def encode(self, momentum, noise=None):
        lost = torch.zeros_like(momentum, dtype=torch.bool) if noise is None else noise.view(momentum.shape) < 2**24
        return INT8.encode(momentum.masked_fill(lost, 0.0), noise)


class Overflows(Delegate):
    def decode(self, codes, scales, shape):
        return INT8.decode(codes, scales, shape) * 1e30 * 1e30


class Shrinks(Delegate):
    """Each round trip loses a hundredth."""

    def decode(self, codes, scales, shape):
        return INT8.decode(codes, scales, shape) * 0.99


class OtherZeros(Delegate):
    def zeros(self, numel, device):
        codes, scales = INT8.zeros(numel, device)
        return codes, torch.ones_like(scales)


class MemoryOrder(Delegate):
    def encode(self, momentum, noise=None):
        order = sorted(range(momentum.ndim), key=momentum.stride, reverse=True)
        return INT8.encode(momentum.permute(order), noise)


class OneShape(Delegate):
    """Returns the momentum in the order of its last dim first."""

    def decode(self, codes, scales, shape):
        flipped = INT8.decode(codes, scales, tuple(shape)[::-1])
        return flipped.permute(*reversed(range(flipped.ndim)))


class HidesNan(Delegate):
    def encode(self, momentum, noise=None):
        return INT8.encode(momentum.nan_to_num(0.0, 0.0, 0.0), noise)


class OneBlock(Delegate):
    """A number that is not finite breaks them all."""

    def encode(self, momentum, noise=None):
        return INT8.encode(momentum if momentum.isfinite().all() else torch.full_like(momentum, torch.nan), noise)


class Coarse(Delegate):
    """Off by up to a fiftieth of the block."""

    def decode(self, codes, scales, shape):
        return INT8.decode(codes, scales, shape) * 0.98


BROKEN = {
    "signs_and_zeros": [LosesSmallNumbers, LosesSignsToNoise, Overflows],
    "same_codes_again": [Shrinks],
    "zeros_are_zeros": [OtherZeros],
    "row_major": [MemoryOrder, OneShape],
    "broken_blocks": [HidesNan, OneBlock],
    "bounded_error": [Coarse],
}
