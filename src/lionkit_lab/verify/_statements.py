"""The statements, and how each came out over the grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lionkit.probes import Estimate
from lionkit_lab.verify._fit import exponents, left_side
from lionkit_lab.verify._observe import Observation

_ROUNDING = 1e-9  # of weights of size 1 in float64, over tens of thousands of steps


@dataclass(frozen=True)
class Statement:
    """What a theorem says.

    Attributes:
        key: Short.
        title: Where it stands.
        claim: What it says.
        left: What is measured, as an axis has it.
        rate: The powers of K and d that its left side must not exceed; None where there is none to fit.
        surely: Whether it is about every single run, and not about their mean.
    """

    key: str
    title: str
    claim: str
    left: str
    rate: tuple[float, float] | None = None
    surely: bool = False


_RATE = (-0.25, 0.5)
_S, _HALF = "KKT residual S, mean over k", "\u2016\u2207f\u2016\u2081 / 2, mean over k"
STATEMENTS = (
    Statement(
        "box", "Theorem 2 (i)", "no weight leaves the box", "largest \u03bb\u2016\u03b8\u2016\u221e", surely=True
    ),
    Statement("sign", "Theorem 2 (i)", "S is never negative", "\u2212 least S", surely=True),
    Statement(
        "lemma6", "Lemma 6", "c tracks the gradient", "\u2016c \u2212 \u2207f\u2016\u2082, mean over k", (-0.25, 0.0)
    ),
    Statement("theorem2", "Theorem 2 (ii)", "the mean residual falls", _S, _RATE),
    Statement("theorem2_at", "Theorem 2, any settings", "the same, from its proof", _S, _RATE),
    Statement("corollary3", "Corollary 3", "the same, at the best constants", _S, _RATE),
    Statement("inequality10", "inequality (10)", "the loss stays below a constant", "highest mean of f \u2212 f*"),
    Statement("theorem4", "Theorem 4", "with little decay, the gradient falls", _HALF, _RATE),
    Statement("corollary5", "Corollary 5", "the same, at the best constants", _HALF, _RATE),
    Statement(
        "frank_wolfe", "Frank-Wolfe gap", "bounds f \u2212 f* of convex f", "f \u2212 f* \u2212 S / \u03bb", surely=True
    ),
)
"""In the order of the report."""


@dataclass(frozen=True)
class Finding:
    """How one statement came out.

    Attributes:
        statement: Which.
        cells: How many observations within the assumptions there were.
        violations: In how many of them the interval lies above the bound.
        closest: The one whose mean is nearest to its bound; its mean and bound.
        measured: Its mean.
        ratio: From the least to the largest ratio of mean to bound; None where the bound is 0.
        in_steps: The slowest fitted exponent in K: least negative; None where there is none to fit.
        in_dim: The largest fitted exponent in d.
        every: All exponents, within the assumptions and outside, by "K" and "d", problem and noise.
        inside: The problems and noises that keep the assumptions.
    """

    statement: Statement
    cells: int
    violations: int
    closest: Observation
    measured: Estimate
    ratio: tuple[float, float] | None
    in_steps: Estimate | None
    in_dim: Estimate | None
    every: dict[str, dict[tuple[str, str], Estimate]]
    inside: frozenset[tuple[str, str]]

    @property
    def holds(self) -> bool:
        """Whether no cell violates it."""
        return not self.violations

    @property
    def verdict(self) -> str:
        """Say how it came out: whether it holds, and whether some fit, all within the assumptions, is off its rate."""
        if self.violations:
            return f"violated in {self.violations}"
        off = [words for name, words in (("K", ", slower in K"), ("d", ", faster in d")) if self._is_off(name)]
        return "holds" + "".join(off)

    def _is_off(self, name: str) -> bool:
        """Whether the interval of an exponent, to three digits as it is shown, lies above the theorem's."""
        if not self.statement.rate:
            return False
        claimed, fits = self.statement.rate[name == "d"], self.every[name].items()
        return any(round(fit.low, 3) > claimed for key, fit in fits if key in self.inside)


def find(observations: Sequence[Observation]) -> list[Finding]:
    """Judge every statement that was measured."""
    return [
        _find(statement, found)
        for statement in STATEMENTS
        if (found := [it for it in observations if it.statement == statement.key])
    ]


def _find(statement: Statement, found: Sequence[Observation]) -> Finding:
    inside = [it for it in found if it.within]
    means = {it: left_side(it, surely=statement.surely) for it in inside}
    closest = max(inside, key=lambda it: means[it].value / it.bound if it.bound else means[it].value)
    ratios = [means[it].value / it.bound for it in inside if it.bound]
    every = exponents(found) if statement.rate else {"K": {}, "d": {}}
    keys = frozenset((it.problem, it.noise) for it in inside)
    slowest, steepest = (_largest(every[name], keys) for name in ("K", "d"))
    return Finding(
        statement,
        cells=len(inside),
        violations=sum(means[it].low > it.bound + _ROUNDING for it in inside),
        closest=closest,
        measured=means[closest],
        ratio=(min(ratios), max(ratios)) if ratios else None,
        in_steps=slowest,
        in_dim=steepest,
        every=every,
        inside=keys,
    )


def _largest(found: dict[tuple[str, str], Estimate], keys: frozenset[tuple[str, str]]) -> Estimate | None:
    return max((it for key, it in found.items() if key in keys), key=lambda it: it.value, default=None)
