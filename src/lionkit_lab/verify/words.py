"""What came out, as rows and sentences: the one source of the terminal's table, the page's and the JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from lionkit.probes import Estimate
from lionkit_lab.report.format import NOTHING
from lionkit_lab.verify._broken import Broken
from lionkit_lab.verify._cells import BASE_DIM, BASE_STEPS
from lionkit_lab.verify._known_problem import GAP, NOISE, SMOOTHNESS
from lionkit_lab.verify._lyapunov import Check
from lionkit_lab.verify._observe import CONSTANTS, Observation
from lionkit_lab.verify._statements import Finding

HEADINGS = ("statement", "says", "cells", "measured", "bound", "ratio", "in K", "in d", "verdict")
BROKEN_HEADINGS = ("broken", "how", "what then fails", "quantity", "measured", "at most", "shown")


def headline(findings: Sequence[Finding], checks: Sequence[Check]) -> str:
    """Say in one sentence how it came out."""
    violated = [it.statement.title for it in findings if not it.holds] + [it.title for it in checks if not it.holds]
    if violated:
        return f"Violated within its assumptions: {', '.join(dict.fromkeys(violated))}."
    return f"All {len(findings) + len(checks)} statements hold wherever their assumptions do."


def rows(findings: Sequence[Finding], checks: Sequence[Check]) -> list[tuple[str, ...]]:
    """Return a row for each statement, in the order of ``HEADINGS``."""
    return [*map(_of_finding, findings), *map(_of_check, checks)]


def broken_rows(broken: Sequence[Broken]) -> list[tuple[str, ...]]:
    """Return a row for each counter-example, in the order of ``BROKEN_HEADINGS``."""
    return [
        (it.assumption, it.how, it.fails, it.left, _number(it.measured), _number(it.bound), "yes" if it.shown else "no")
        for it in broken
    ]


def legend(seeds: int) -> str:
    """Say what the table's numbers are."""
    known = f"L = {SMOOTHNESS:g}, \u0394 = {GAP:g}, \u03c3 = {NOISE:g}; {seeds} seeds a cell, intervals of 95 %"
    constants = f"c\u2081 = c\u2082 = {CONSTANTS.c1:g}, c\u2083 = {CONSTANTS.c3:g}"
    return (
        f"{known}. measured, bound and their ratio: where the two are nearest, of all cells within the assumptions. "
        f"In K, in d: the slowest fitted exponent of K (at d = {BASE_DIM}) and the largest of d (at K = {BASE_STEPS}), "
        f"with the interval of the fit. Theorems 2 and 4 are run with {constants}, the corollaries with their own."
    )


def as_json(
    findings: Sequence[Finding], checks: Sequence[Check], broken: Sequence[Broken], observations: Sequence[Observation]
) -> dict[str, Any]:
    """Return everything as plain data."""
    return {
        "constants": {"smoothness": SMOOTHNESS, "gap": GAP, "noise": NOISE, **vars(CONSTANTS)},
        "statements": [_finding_json(it) for it in findings],
        "checks": [dataclasses.asdict(it) | {"holds": it.holds} for it in checks],
        "counter_examples": [
            {key: value for key, value in vars(it).items() if key != "line"} | {"shown": it.shown} for it in broken
        ],
        "cells": [
            {key: value for key, value in vars(it).items() if key != "samples"}
            | {"within": it.within, "samples": list(it.samples)}
            for it in observations
        ],
    }


def _finding_json(it: Finding) -> dict[str, Any]:
    return {
        "key": it.statement.key,
        "title": it.statement.title,
        "claim": it.statement.claim,
        "cells": it.cells,
        "violations": it.violations,
        "verdict": it.verdict,
        "measured": dataclasses.asdict(it.measured),
        "bound": it.closest.bound,
        "ratio": it.ratio,
        "exponents": {
            name: [{"problem": p, "noise": n, **dataclasses.asdict(fit)} for (p, n), fit in found.items()]
            for name, found in it.every.items()
        },
    }


def _of_finding(it: Finding) -> tuple[str, ...]:
    share = NOTHING if it.ratio is None else f"{it.ratio[1]:.3f}"
    measured = _number(it.measured.value) if it.statement.surely else _interval(it.measured)
    exponents = [exponent_words(fit) for fit in (it.in_steps, it.in_dim)]
    head = (it.statement.title, it.statement.claim, str(it.cells))
    return (*head, measured, _number(it.closest.bound), share, *exponents, it.verdict)


def _of_check(it: Check) -> tuple[str, ...]:
    verdict = "holds" if it.holds else "violated"
    numbers = (str(it.cases), _number(it.measured), _number(it.bound))
    return (it.title, it.claim, *numbers, NOTHING, NOTHING, NOTHING, verdict)


def _interval(it: Estimate) -> str:
    return f"{_number(it.value)}\u00b1{it.high - it.value:.1g}"


def exponent_words(fit: Estimate | None) -> str:
    """Write an exponent with its interval, and a dash for None."""
    return NOTHING if fit is None else f"{_signed(fit.value)}\u00b1{fit.high - fit.value:.3f}"


def _signed(value: float) -> str:
    return f"{value:.3f}".replace("-", "\u2212")


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "\u2212")
