"""The cost model against schedules that are walked through step by step, and what it refuses."""

import pytest

from lionkit.distributed import (
    Link,
    Mean,
    SignOfMean,
    Vote,
    all_reduce_seconds,
    power_sgd_seconds,
    step_seconds,
    vote_seconds,
    wire_bits,
)

LINK = Link(latency=2e-4, bandwidth=12.5e6)


def walked(forward, backward, communication, buckets):
    """One bucket after the other, each sent when it is ready and the one before has left."""
    free = forward
    for k in range(1, buckets + 1):
        free = max(free, forward + k * backward / buckets) + communication / buckets
    return free


@pytest.mark.parametrize("communication", [0.0, 0.3, 2.0, 7.0])
@pytest.mark.parametrize("buckets", [1, 2, 5, 40])
def test_a_step_is_its_schedule(communication, buckets):
    found = step_seconds(0.5, 2.0, communication, buckets=buckets)
    assert found == pytest.approx(walked(0.5, 2.0, communication, buckets), rel=1e-12)
    assert 2.5 <= found <= 2.5 + communication
    if buckets > 1 and communication:
        assert found < 2.5 + communication


def test_a_ring_is_its_rounds():
    workers, numel = 5, 1_000_000
    chunk = LINK.latency + 4 * numel / workers / LINK.bandwidth
    assert all_reduce_seconds(LINK, workers, numel) == pytest.approx(2 * 4 * chunk, rel=1e-12)
    assert all_reduce_seconds(LINK, workers, numel, bits=16) < all_reduce_seconds(LINK, workers, numel)
    assert all_reduce_seconds(LINK, 1, numel) == 0.0


@pytest.mark.parametrize(("workers", "bits", "parts"), [(2, 2.6, 9), (3, 2.0, 6), (4, 2.6, 4), (7, 2.0, 2)])
def test_a_vote_takes_its_bits_and_latencies(workers, bits, parts):
    seconds = vote_seconds(LINK, workers, 10**7, Vote())
    share = (workers - 1) / workers
    assert seconds == pytest.approx(2 * parts * (workers - 1) * LINK.latency + 1e7 * bits / 8 * share / LINK.bandwidth)
    assert vote_seconds(LINK, workers, 10**7, Vote(), zeros=True) > seconds
    assert (
        all_reduce_seconds(Link(0.0, 1.0), workers, 10**7) / vote_seconds(Link(0.0, 1.0), workers, 10**7, Vote()) >= 15
    )


def test_bits_of_the_modes():
    assert wire_bits(SignOfMean(), 4) == (32, 2.0)
    assert wire_bits(Mean(), 3) == (1, 2.0)
    assert wire_bits(Mean(), 3, zeros=True) == (2, 4.0)
    assert wire_bits(Mean(), 300)[1] == 16


def test_small_messages_are_all_latency():
    """Where nothing is to be sent a vote waits as often as an all-reduce."""
    assert vote_seconds(LINK, 8, 0, Vote()) == all_reduce_seconds(LINK, 8, 0) == pytest.approx(14 * LINK.latency)


def test_power_sgd_sends_factors_and_what_has_none():
    shapes = [(100, 50), (100, 5, 10), (77,), (3, 3)]
    expected = [all_reduce_seconds(LINK, 4, numel) for numel in (77 + 9, 2 * 200, 2 * 100)]
    assert power_sgd_seconds(LINK, 4, shapes, rank=2) == pytest.approx(sum(expected))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Link(-1.0, 1.0), "Invalid latency: -1.0, it must be finite and at least 0 seconds"),
        (lambda: Link(0.0, 0.0), "Invalid bandwidth: 0.0, it must be above 0 bytes a second"),
    ],
)
def test_no_link(make, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        make()
