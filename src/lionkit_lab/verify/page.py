"""The report as one HTML file that needs no network, in the clothes of `lionkit report`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

import lionkit
from lionkit_lab import atomic
from lionkit_lab.machine import commit, machine
from lionkit_lab.report import format as fmt
from lionkit_lab.report.chart import Chart
from lionkit_lab.report.page import render
from lionkit_lab.verify import words
from lionkit_lab.verify._broken import Broken
from lionkit_lab.verify._charts import looks, of_broken, of_finding
from lionkit_lab.verify._lyapunov import Check
from lionkit_lab.verify._observe import Observation
from lionkit_lab.verify._statements import Finding


@dataclasses.dataclass(frozen=True)
class PageSection:
    """One statement on the page, or all counter-examples: its figures, and what stands under each."""

    key: str
    title: str
    note: str
    charts: list[tuple[Chart, str]]


def write(
    findings: Sequence[Finding],
    checks: Sequence[Check],
    broken: Sequence[Broken],
    observations: Sequence[Observation],
    seconds: float,
    path: Path,
) -> Path:
    """Write the report.

    Args:
        findings: Of the grid.
        checks: Of single runs.
        broken: The counter-examples.
        observations: What the findings are made of.
        seconds: How long it took.
        path: The HTML file.

    Returns:
        The same path.
    """
    sections = [*(_section(it, observations) for it in findings), _counter_examples(broken)]
    seeds = len(observations[0].samples)
    page = render(
        "verification.html",
        headline=words.headline(findings, checks),
        legend=words.legend(seeds),
        facts=_facts(findings, checks, broken, seeds, seconds),
        headings=words.HEADINGS,
        rows=words.rows(findings, checks),
        broken_headings=words.BROKEN_HEADINGS,
        broken_rows=words.broken_rows(broken),
        sections=sections,
        looks=looks(),
        provenance=_provenance(),
        payload=_payload(sections),
    )
    atomic.write(path, page.encode())
    return path


def _section(finding: Finding, observations: Sequence[Observation]) -> PageSection:
    it = finding.statement
    charts = [(chart, _caption(finding, chart.x_label)) for chart in of_finding(finding, observations)]
    note = f"{finding.verdict[:1].upper()}{finding.verdict[1:]} in {finding.cells} cells."
    return PageSection(it.key.replace("_", "-"), f"{it.title}: {it.claim}", note, charts)


def _caption(finding: Finding, name: str) -> str:
    fits = finding.every.get(name) or {}
    told = "; ".join(
        f"{problem} {words.exponent_words(fit)}" for (problem, noise), fit in fits.items() if noise == "gaussian"
    )
    if not finding.statement.rate:
        return "The largest of all runs." if finding.statement.surely else "Mean over the seeds, at the worst step."
    claimed = f"{finding.statement.rate[name == 'd']:g}".replace("-", "\u2212")
    return f"Mean over the seeds. Fitted exponents in {name}, with Gaussian noise: {told}; the theorem's is {claimed}."


def _counter_examples(broken: Sequence[Broken]) -> PageSection:
    charts = [(of_broken(it), f"{it.how[:1].upper()}{it.how[1:]}. What then fails: {it.fails}.") for it in broken]
    return PageSection(
        "broken", "Each assumption broken", "None of these contradicts a theorem: each is outside of one.", charts
    )


def _facts(
    findings: Sequence[Finding], checks: Sequence[Check], broken: Sequence[Broken], seeds: int, seconds: float
) -> list[tuple[str, str]]:
    cells = sum(it.cells for it in findings)
    return [
        ("statements", str(len(findings) + len(checks))),
        ("cells", f"{cells:,}"),
        ("seeds each", str(seeds)),
        ("counter-examples", str(len(broken))),
        ("in all", fmt.seconds(seconds)),
    ]


def _provenance() -> list[tuple[str, list[tuple[str, str]]]]:
    here = [(key.replace("_", " "), str(value)) for key, value in machine().items()]
    versions = [("lionkit", lionkit.__version__), ("torch", torch.__version__), ("commit", commit() or "not recorded")]
    return [("Versions", versions), ("Machine", here)]


def _payload(sections: Sequence[PageSection]) -> dict[str, Any]:
    charts = {
        chart.key: {**dataclasses.asdict(chart), "task": section.title.partition(":")[0]}
        for section in sections
        for chart, _ in section.charts
    }
    return {"charts": charts, "styles": {name: dataclasses.asdict(look) for name, look in looks().items()}}
