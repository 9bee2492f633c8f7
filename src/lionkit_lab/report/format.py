"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lionkit.probes import Estimate
    from lionkit_lab.statistics import Spread

NOTHING = "\u2013"


def number(value: float | None) -> str:
    """Write a value to four significant digits, and a dash for None."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:#.4g}".rstrip(".")


def rate(lr: float | None) -> str:
    """Write a learning rate as it was chosen, such as ``0.0003``, and a dash for None."""
    return NOTHING if lr is None else f"{lr:g}"


def fraction(share: float | None) -> str:
    """Write a share of one with three decimals, and a dash for None."""
    return NOTHING if share is None else f"{share:.3f}"


def percent(share: float | None) -> str:
    """Write a share of one in percent with one decimal, and a dash for None."""
    return NOTHING if share is None else f"{100 * share:.1f} %"


def interval(estimate: Estimate | None, scale: float = 1.0) -> str:
    """Write the ends of an interval, such as ``0.41 to 0.45``, and a dash for None."""
    return f"{number(scale * estimate.low)} to {number(scale * estimate.high)}" if estimate else NOTHING


def signed(value: float | None) -> str:
    """Write a difference to three significant digits with its sign, and a dash for None."""
    if value is None:
        return NOTHING
    text = f"{value:+,.0f}" if 1e3 <= abs(value) < 1e9 else f"{value:+#.3g}".rstrip(".")
    return text.replace("-", "\u2212")


def signed_interval(estimate: Estimate | None, scale: float = 1.0) -> str:
    """Write the ends of a difference's interval with their signs, and a dash for None."""
    return f"{signed(scale * estimate.low)} to {signed(scale * estimate.high)}" if estimate else NOTHING


def deviation(spread: Spread, scale: float = 1.0) -> str:
    """Write a standard deviation to two significant digits, and a dash where there is one seed."""
    if spread.sd is None:
        return NOTHING
    sd = scale * spread.sd
    return f"{sd:,.0f}" if 1e2 <= sd < 1e9 else f"{sd:#.2g}".rstrip(".")


def likelihood(p: float | None) -> str:
    """Write a p-value to two significant digits, never as 0, and a dash for None."""
    if p is None:
        return NOTHING
    return "< 0.0001" if p < 1e-4 else f"{p:#.2g}".rstrip(".")


def is_share(metric: str) -> bool:
    """Whether a metric, by its key in the records, is a share of one and read in percent."""
    return metric.endswith("accuracy")


def seconds(duration: float | None) -> str:
    """Write a duration given in seconds, such as ``8.4 s`` or ``2 min 05 s``."""
    if duration is None:
        return NOTHING
    if duration < 60:
        return f"{duration:.1f} s" if duration < 10 else f"{duration:.0f} s"
    minutes, rest = divmod(round(duration), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def listing(words: Sequence[str]) -> str:
    """Join words as a sentence does: ``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
