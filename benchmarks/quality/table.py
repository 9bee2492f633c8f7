"""The table: losses by seed, their spread, and what each momentum costs against float32's."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence

from lionkit.probes import Estimate

from .run import Run

PLAIN = "float32"
TARGETS = {"int8": 0.005, "int4": 0.015}  # of the plain mean: what issue 3 allows

HEADER = """\
| momentum | bytes a parameter | loss by seed | mean | sd | against float32, paired, 95 % | target |
|---|---|---|---|---|---|---|"""


def table(runs: Iterable[Run]) -> Iterator[str]:
    """Yield the lines of a Markdown table: a row for each momentum that has a run, over the seeds that all have."""
    by_dtype: dict[str, dict[int, Run]] = {}
    for run in sorted(runs, key=lambda run: run.seed):
        by_dtype.setdefault(run.momentum_dtype, {})[run.seed] = run
    seeds = sorted(set.intersection(*(set(found) for found in by_dtype.values()))) if by_dtype else []
    yield HEADER
    for dtype, found in by_dtype.items():
        yield _row(dtype, [found[seed] for seed in seeds], [by_dtype.get(PLAIN, {}).get(seed) for seed in seeds])


def _row(dtype: str, runs: Sequence[Run], plain: Sequence[Run | None]) -> str:
    losses = [run.loss for run in runs]
    cells = [dtype, f"{runs[0].state_bytes_per_parameter:.3f}" if runs else "", ", ".join(f"{it:.4f}" for it in losses)]
    cells += [f"{statistics.mean(losses):.4f}", f"{statistics.stdev(losses):.4f}"] if len(losses) > 1 else ["", ""]
    others = [run.loss for run in plain if run is not None]
    if dtype != PLAIN and len(others) == len(losses) > 1:
        cells += _against(losses, others, TARGETS.get(dtype))
    else:
        cells += ["", ""]
    return f"| {' | '.join(cells)} |"


def _against(losses: Sequence[float], plain: Sequence[float], target: float | None) -> list[str]:
    """Return the mean paired difference with its interval, and the target, all relative to the plain mean."""
    base = statistics.mean(plain)
    differences = [(other - ours) / base for other, ours in zip(losses, plain, strict=True)]
    found = Estimate.of_mean(differences, confidence=0.95)
    verdict = "" if target is None else f"{target:+.1%}: {'met' if found.value <= target else 'missed'}"
    return [f"{found.value:+.2%} [{found.low:+.2%}, {found.high:+.2%}]", verdict]
