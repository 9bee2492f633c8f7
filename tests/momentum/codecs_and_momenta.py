"""Momenta of every kind, and the levels of a codec by another road than its own."""

import torch
from hypothesis import strategies as st

from lionkit.kernels._noise import step_key, words
from lionkit.momentum import BLOCK
from lionkit.momentum._nibbles import unpack

SIZES = [0, 1, 15, 127, 128, 129, 1009]
LARGEST = torch.finfo(torch.float32).max


def weights(dtype=torch.float32):
    """One that is coded, in a shape that no block divides, and one that is too small."""
    return [torch.randn(67, 3, 41, dtype=dtype), torch.randn(4095, dtype=dtype)]


@st.composite
def momenta(draw, least=-44.0, most=38.0):
    """Draw blocks of every size, whose numbers range over powers of ten, some or all of them 0."""
    numel = draw(st.sampled_from(SIZES))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    exponents = torch.linspace(*(draw(st.floats(least, most)) for _ in range(2)), numel, dtype=torch.float64)
    x = torch.randn(numel, generator=generator, dtype=torch.float64).clamp(-3, 3) * 10.0**exponents
    zeros = torch.rand(numel, generator=generator) < draw(st.sampled_from([0.0, 0.2, 1.0]))
    return x.clamp(-LARGEST, LARGEST).float().masked_fill(zeros, 0.0)


def magnitudes(codec):
    """Return what every level stands for, in units, float64: octaves of equal steps, less 1; no bits of floats."""
    steps = 2**codec.mantissa_bits
    octaves = [2.0 ** (level // steps) * (1 + level % steps / steps) - 1 for level in range(2 ** (codec.bits - 1))]
    return torch.tensor(octaves, dtype=torch.float64)


def signed_levels(codec, codes, numel):
    return (codes if codec.bits == 8 else unpack(codes, numel)).to(torch.int64)


def in_units(x, scales):
    """Return the numbers in the units of their blocks, float64; a unit of 0 has only zeros."""
    units = scales.double().repeat_interleave(BLOCK)[: x.numel()]
    return x.double() / units.masked_fill(units == 0, 1.0)


def roundtrip(codec, x, noise=None):
    return codec.decode(*codec.encode(x, noise), x.shape)


def noise_of(numel, step=0):
    return words(step_key(seed=11, step=step), 3, numel, stream="momentum")
