"""Stochastic and Kahan rounding: exact where a number fits, unbiased or twice as precise where it does not."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lionkit.kernels._noise import step_key, words
from lionkit.kernels._rounding import round_kahan, round_stochastic

HALVES = [torch.bfloat16, torch.float16]


def all_halves(dtype):
    return torch.arange(2**16, dtype=torch.int32).to(torch.uint16).view(dtype)


@pytest.mark.parametrize("word", [0, 2**16 - 1, 2**31, 2**32 - 1])
def test_every_bfloat16_stays_what_it_is(word):
    """Infinities and nan too, whatever the noise says."""
    values = all_halves(torch.bfloat16)
    rounded = round_stochastic(values.float(), torch.full((2**16,), word))
    torch.testing.assert_close(rounded, values, rtol=0, atol=0, equal_nan=True)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(0, 2**32 - 1))
def test_a_number_goes_to_one_of_its_neighbours(value, word):
    wide = torch.tensor([value])
    rounded = round_stochastic(wide, torch.tensor([word]))
    toward_zero = (wide.view(torch.int32) & ~0xFFFF).view(torch.float32).item()
    away = ((wide.view(torch.int32) & ~0xFFFF) + 0x10000).view(torch.float32).item()
    lost = wide.view(torch.int32).item() & 0xFFFF
    assert rounded.item() == (away if lost + (word >> 16) >= 2**16 else toward_zero)


@pytest.mark.parametrize("share", [0.03, 0.5, 0.81])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_mean_of_many_roundings_is_the_number(share, sign):
    """Over steps, as a weight sees them; 4 standard deviations of a mean of 4000 coins."""
    spacing = 2.0**-7
    wide = torch.tensor([sign * (1 + share * spacing)])
    rounded = [round_stochastic(wide, words(step_key(3, step), 5, 1, stream="weights")) for step in range(4000)]
    up = torch.cat(rounded).double().sub(sign).abs().mean().item() / spacing
    assert up == pytest.approx(share, abs=4 * (share * (1 - share) / 4000) ** 0.5 + 2**-16)


def test_a_row_is_rounded_in_row_major_order_whatever_its_layout():
    wide = 1 + torch.rand(6, 4) * 2**-7
    noise = words(step_key(1, 2), 0, 24, stream="weights")
    rounded = round_stochastic(wide.t(), noise)
    assert rounded.equal(round_stochastic(wide.t().contiguous(), noise))
    assert not rounded.t().equal(round_stochastic(wide, noise))


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_kahan_keeps_twice_the_precision(dtype):
    wide = torch.randn(100_000) * 3
    weight, compensation = round_kahan(wide, dtype)
    assert weight.equal(wide.to(dtype))
    eps = torch.finfo(dtype).eps
    kept = weight.double() + compensation.double()
    tiny = torch.finfo(dtype).smallest_normal * eps  # float16's compensations are subnormal there
    assert ((kept - wide.double()).abs() <= wide.double().abs() * eps**2 / 2 + tiny / 2).all()


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_kahan_of_a_number_that_fits_keeps_nothing_back(dtype):
    values = all_halves(dtype)
    values = values[values.isfinite()]
    weight, compensation = round_kahan(values.float(), dtype)
    assert weight.equal(values)
    assert not compensation.any()


@pytest.mark.parametrize("broken", [torch.inf, -torch.inf, torch.nan])
def test_a_broken_weight_stays_broken(broken):
    weight, compensation = round_kahan(torch.tensor([broken]), torch.bfloat16)
    assert not weight.isfinite()
    assert (weight + compensation).isnan()
    assert not round_stochastic(torch.tensor([broken]), torch.tensor([123])).isfinite()
