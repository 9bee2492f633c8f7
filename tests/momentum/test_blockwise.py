"""What the codec keeps of a momentum, whatever its numbers: the laws of any codec, its own levels, units and bits."""

import math

import pytest
import torch
from codecs_and_momenta import (
    LARGEST,
    in_units,
    magnitudes,
    momenta,
    noise_of,
    roundtrip,
    signed_levels,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from lionkit.momentum import BLOCK, INT4, INT8, Blockwise
from lionkit.momentum._nibbles import pack, unpack
from lionkit.testing._codec_laws import LAWS

CODECS = [INT8, INT4, Blockwise(8, 3, "nearest"), Blockwise(4, 2, "nearest")]
SMALLEST_NORMAL = torch.finfo(torch.float32).tiny

of_every_codec = pytest.mark.parametrize("codec", CODECS, ids=repr)
noises = st.sampled_from([lambda numel: None, noise_of, lambda numel: torch.full((numel,), 2**32 - 1)])


@of_every_codec
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@given(x=momenta(), noise=noises)
@settings(deadline=None)
def test_every_law_of_the_public_check(codec, law, x, noise):
    """At numbers of all that a float32 holds, with noise and without."""
    law(codec, x, noise(x.numel()))


@of_every_codec
@given(x=momenta(), noise=noises)
@settings(deadline=None)
def test_codes_and_scales_have_their_dtype_and_size(codec, x, noise):
    codes, scales = codec.encode(x, noise(x.numel()))
    assert (codes.dtype, codes.shape) == (codec.code_dtype, (codec.num_codes(x.numel()),))
    assert (scales.dtype, scales.shape) == (torch.bfloat16, (codec.num_scales(x.numel()),))
    assert (signed_levels(codec, codes, x.numel()).abs() <= codec.num_levels).all()


@of_every_codec
@given(x=momenta())
@settings(deadline=None)
def test_nearest_takes_the_nearest_level(codec, x):
    codes, scales = codec.encode(x)
    level, sizes = signed_levels(codec, codes, x.numel()).abs(), magnitudes(codec)
    between = torch.cat([torch.zeros(2), (sizes[1:-1] + sizes[2:]) / 2, torch.tensor([math.inf])]).double()
    size = in_units(x, scales).abs()
    slack = 2.0**-22 * (1 + size)
    assert (size >= between[level] - slack).all()
    assert (size <= torch.where(x != 0, between[level + 1], 0) + slack).all()


@of_every_codec
@given(x=momenta(), noise=noises)
@settings(deadline=None)
def test_noise_chooses_between_the_levels_below_and_above(codec, x, noise):
    codes, scales = codec.encode(x, noise(x.numel()))
    level, sizes = signed_levels(codec, codes, x.numel()).abs(), magnitudes(codec)
    size = in_units(x, scales).abs()
    slack = 2.0**-22 * (1 + size)
    assert (size >= torch.where(level > 1, sizes[(level - 1).clamp(0)], 0) - slack).all()
    assert (size <= torch.cat([sizes, torch.tensor([math.inf])])[level + 1] + slack).all()


@of_every_codec
@given(x=momenta())
@settings(deadline=None)
def test_a_unit_is_the_least_bfloat16_that_holds_its_block(codec, x):
    _, scales = codec.encode(x)
    top, most = magnitudes(codec)[-1], LARGEST / magnitudes(codec)[-1]
    for block, unit in zip(x.double().split(BLOCK), scales, strict=False):  # no numbers are one empty part
        largest = block.abs().max()
        below = (unit.view(torch.int16) - 1).view(torch.bfloat16).double()
        if largest == 0:
            assert unit == 0
            continue
        assert unit.double() * top >= largest * (1 - 2.0**-24) or unit.double() > most * (1 - 2.0**-7)
        assert unit.double() * top <= LARGEST
        assert unit == SMALLEST_NORMAL or below * top < largest


@of_every_codec
@given(x=momenta(), noise=noises)
@settings(deadline=None)
def test_decoding_is_exact(codec, x, noise):
    codes, scales = codec.encode(x, noise(x.numel()))
    levels = signed_levels(codec, codes, x.numel())
    exact = levels.sign() * magnitudes(codec)[levels.abs()] * scales.double().repeat_interleave(BLOCK)[: x.numel()]
    assert torch.equal(codec.decode(codes, scales, x.shape).double(), exact)


@of_every_codec
@given(x=momenta(-20, 20), power=st.integers(-20, 20), noise=noises)
@settings(deadline=None)
def test_a_power_of_two_scales_the_scales_alone(codec, x, power, noise):
    codes, scales = codec.encode(x, noise(x.numel()))
    others = codec.encode(x * 2.0**power, noise(x.numel()))
    assert torch.equal(others[0], codes)
    assert torch.equal(others[1], scales * 2.0**power)


@of_every_codec
@given(x=momenta(), noise=noises)
@settings(deadline=None)
def test_the_codec_is_odd(codec, x, noise):
    assert torch.equal(roundtrip(codec, -x, noise(x.numel())), -roundtrip(codec, x, noise(x.numel())))


@of_every_codec
@pytest.mark.parametrize("culprit", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 200, 300])
def test_what_is_not_finite_makes_all_of_its_block_nan(codec, culprit, place):
    x = torch.randn(301)
    x[place] = culprit
    x[place - 1] = 0.0
    block = torch.arange(301) // BLOCK == place // BLOCK
    codes, scales = codec.encode(x, noise_of(301))
    assert codec.decode(codes, scales, (301,))[block].isnan().all()
    assert not signed_levels(codec, codes, 301)[block].any()  # so that the bits do not depend on who computes them


def test_by_hand():
    x = torch.tensor([1.0, -0.5, 1e-9, 0.0])
    assert INT8.encode(x)[0].tolist() == [127, -97, 1, 0]
    assert INT4.encode(x)[0].tolist() == [0xA7, 0x01]  # 7, -6, 1, 0
    unit = 2.0**-7 * (1 + 2 / 128)  # the next bfloat16 above 1 / 127
    assert roundtrip(INT4, x).tolist() == [127 * unit, -63 * unit, unit, 0.0]


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.complex64])
def test_only_float32_is_encoded(dtype):
    with pytest.raises(TypeError, match=rf"its dtype is {dtype}, it must be torch\.float32"):
        INT8.encode(torch.zeros(3, dtype=dtype))


@given(codes=st.lists(st.integers(-8, 7), max_size=40))
def test_packing_is_undone_by_unpacking(codes):
    packed = pack(torch.tensor(codes, dtype=torch.int64))
    assert (packed.dtype, packed.numel()) == (torch.uint8, (len(codes) + 1) // 2)
    assert unpack(packed, len(codes)).tolist() == codes


def test_the_even_code_has_the_low_half_of_a_byte():
    assert pack(torch.tensor([1, -1, -8, 7, 5])).tolist() == [0xF1, 0x78, 0x05]
