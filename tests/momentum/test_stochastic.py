"""What stochastic rounding is for: codes are the momentum on average, and a momentum without gradients decays."""

from dataclasses import replace

import pytest
import torch
from codecs_and_momenta import in_units, magnitudes, noise_of, roundtrip

from lionkit.momentum import BLOCK, INT4, INT8

BETA2 = 0.97

of_both_widths = pytest.mark.parametrize("codec", [INT8, INT4], ids=["int8", "int4"])


@of_both_widths
def test_the_mean_over_steps_is_the_momentum_itself(codec):
    """Each coordinate is within five standard errors of a coin between the levels around it."""
    num_steps = 2000
    x = torch.randn(1009)
    _, scales = codec.encode(x)
    mean = sum(roundtrip(codec, x, noise_of(x.numel(), step)).double() for step in range(num_steps)) / num_steps
    size, sizes = in_units(x, scales).abs(), magnitudes(codec)
    above = torch.searchsorted(sizes, size).clamp(1)
    gap = sizes[above] - sizes[above - 1]
    chance = (size - sizes[above - 1]) / gap
    error = in_units(mean.float(), scales).abs() - size
    kept = above > 1  # below level 1 there is no choice: a number that is not 0 does not become 0
    assert kept.sum() > 900
    bound = 5 * gap * (chance * (1 - chance) / num_steps).sqrt() + 1e-3 * gap
    assert (error.abs() <= bound)[kept].all()
    assert (size[~kept] <= 1.001 * sizes[1]).all()


@of_both_widths
def test_rounding_errors_are_not_the_same_twice(codec):
    x = torch.randn(1009)
    assert not torch.equal(codec.encode(x, noise_of(1009, 0))[0], codec.encode(x, noise_of(1009, 1))[0])
    assert torch.equal(codec.encode(x, noise_of(1009, 1))[0], codec.encode(x, noise_of(1009, 1))[0])


def left_after(codec, num_steps, run=0):
    """Return which share is left of the momentum of coordinates without gradient, beside one that keeps its own."""
    torch.manual_seed(run)
    start = torch.randn(64 * BLOCK).abs() + 0.5
    still = torch.arange(start.numel()) % BLOCK == 0
    start[still] = 4.0
    m = start
    for step in range(num_steps):
        m = roundtrip(codec, torch.where(still, start, BETA2 * m), noise_of(m.numel(), 1000 * run + step))
    return (m[~still].sum() / start[~still].sum()).item()


@of_both_widths
def test_a_momentum_without_gradients_decays_as_it_must(codec):
    left = [left_after(codec, 40, run) for run in range(20)]
    assert sum(left) / len(left) == pytest.approx(BETA2**40, rel=0.04)


def test_rounded_to_nearest_it_would_stall():
    """Why the codecs round stochastically: a decay by less than half a step is lost, again and again."""
    assert left_after(replace(INT4, rounding="nearest"), 40) > 0.9
    assert left_after(replace(INT8, mantissa_bits=3, rounding="nearest"), 40) > 1.1 * BETA2**40
