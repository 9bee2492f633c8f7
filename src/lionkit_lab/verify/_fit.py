"""Means, exponents and their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from lionkit.probes import Estimate
from lionkit_lab.statistics import CONFIDENCE, fit
from lionkit_lab.verify._cells import BASE_DIM, BASE_STEPS
from lionkit_lab.verify._observe import Observation


def left_side(observation: Observation, *, surely: bool) -> Estimate:
    """Return the mean over the seeds, with its interval; the largest where a statement is about every single run."""
    if surely:
        worst = max(observation.samples)
        return Estimate(worst, worst, worst, len(observation.samples))
    return Estimate.of_mean(observation.samples, CONFIDENCE)


def exponent(points: Sequence[tuple[float, float]]) -> Estimate:
    """Fit a power law to means, and return its exponent.

    The interval is from how far the points are off the line: it has in it the noise of the runs, what tells one d's
    problem from another's, and the bend of a law that is no pure power yet.

    Args:
        points: At least three: argument and value, above 0.
    """
    law = fit([points])
    assert law is not None, "fewer than three points, or all at one argument"
    return law.exponent


def exponents(observations: Sequence[Observation]) -> dict[str, dict[tuple[str, str], Estimate]]:
    """Return the exponents in "K" and in "d" by problem and noise, of one statement's observations."""
    lines: dict[str, dict[tuple[str, str], list[tuple[float, float]]]] = {"K": {}, "d": {}}
    for it in observations:
        if it.dim == BASE_DIM:
            lines["K"].setdefault((it.problem, it.noise), []).append((it.steps, fmean(it.samples)))
        if it.steps == BASE_STEPS:
            lines["d"].setdefault((it.problem, it.noise), []).append((it.dim, fmean(it.samples)))
    return {
        name: {key: exponent(points) for key, points in found.items() if len(points) > 2}
        for name, found in lines.items()
    }
