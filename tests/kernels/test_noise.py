"""The counter-based noise against the same definition in Python's integers, and that it is noise."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lionkit.kernels._noise import step_key, words

STREAMS = ["momentum", "weights"]


def mix64(z):
    """The finaliser of splitmix64, one number at a time."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = ((z ^ (z >> shift)) * factor) % 2**64
    return z ^ (z >> 31)


def word(seed, step, position, index, stream):
    both = mix64(
        (mix64(mix64((seed + 0x9E3779B97F4A7C15) % 2**64) + step) + mix64((position << 32) + (index >> 32))) % 2**64
    )
    half = {"momentum": lambda drawn: drawn % 2**32, "weights": lambda drawn: drawn >> 32}[stream]
    start, multiplier = half(both), half(mix64(both)) | 1
    return (start + (index % 2**32) * multiplier) % 2**32


def test_the_mixing_function_is_splitmix64s():
    """Its first output from seed 0 is in every published test vector: the finaliser of the golden gamma."""
    assert mix64(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF
    assert step_key(0, 0) % 2**64 == mix64(0xE220A8397B1DCDAF)


@given(
    seed=st.integers(-(2**70), 2**70),
    step=st.integers(0, 2**40),
    position=st.integers(0, 2**32 - 1),
    numel=st.integers(0, 50),
    stream=st.sampled_from(STREAMS),
)
def test_words_are_their_definition(seed, step, position, numel, stream):
    key = step_key(seed, step)
    assert -(2**63) <= key < 2**63
    expected = [word(seed, step, position, index, stream) for index in range(numel)]
    assert words(key, position, numel, stream=stream).tolist() == expected


def test_words_far_inside_a_parameter():
    """Where the product with the index has passed 2^52: no floating point has crept in."""
    drawn = words(step_key(5, 1), 3, 2**21, stream="weights")
    assert drawn[-5:].tolist() == [word(5, 1, 3, index, "weights") for index in range(2**21 - 5, 2**21)]


@pytest.mark.parametrize("place", [(0, 0), (0, 77), (9, 4095)], ids=str)
def test_one_coordinate_sees_uniform_and_independent_words(place):
    """Over 4096 steps: every bit is a fair coin, and neither the last step nor the other stream tells anything."""
    position, index = place
    series = {
        stream: torch.stack(
            [words(step_key(1, step), position, index + 1, stream=stream)[index] for step in range(4096)]
        )
        for stream in STREAMS
    }
    for drawn in series.values():
        for bit in range(32):  # five standard deviations of a fair coin
            assert (drawn >> bit & 1).double().mean().item() == pytest.approx(0.5, abs=5 * 0.5 / 4096**0.5)
    first, second = (series[stream].double() for stream in STREAMS)
    for one, other in ((first[1:], first[:-1]), (second[1:], second[:-1]), (first, second)):
        assert torch.corrcoef(torch.stack([one, other]))[0, 1].abs() < 5 / 4096**0.5


def test_seeds_steps_positions_and_streams_differ():
    keys = [(step_key(seed, step), position) for seed, step, position in itertools.product(range(3), repeat=3)]
    firsts = [words(key, position, 1, stream=stream).item() for key, position in keys for stream in STREAMS]
    assert len(set(firsts)) == len(firsts)


@pytest.mark.parametrize("distance", [1, 2, 64, 4181, 65_536])
def test_two_coordinates_see_independent_words(distance):
    """Over 4096 steps; 4181 is a Fibonacci number: multiples of the golden ratio would be close there in every step."""
    drawn = torch.stack([words(step_key(2, step), 0, distance + 1, stream="momentum") for step in range(4096)])
    pair = drawn[:, [0, distance]].double()
    assert torch.corrcoef(pair.t())[0, 1].abs() < 5 / 4096**0.5
    close = ((pair[:, 0] - pair[:, 1]).abs() < 2**28).double().mean().item()  # of uniform ones: 1 - (1 - 1/16)^2
    assert close == pytest.approx(0.1211, abs=5 * (0.1211 * 0.8789 / 4096) ** 0.5)
