"""What each quantity is, its formula and its source, as HTML that stands under the figures."""

from __future__ import annotations

from markupsafe import Markup

from lionkit_lab.report._tasks import TaskRuns
from lionkit_lab.report._words import decay_words, estimate

_NORM = "&#8214;<i>g</i>&#8214;"
_CAPTIONS = {
    "training-loss": Markup(
        "Markers: the loss of the frozen model over {measured}, at every logging epoch. Faint lines: the losses of "
        "single minibatches between them."
    ),
    "test-metric": Markup(
        "{label} of the frozen model over {num_test:,} held-out {unit}, at the same logging epochs; {better} is better."
    ),
    "norm-ratio": Markup(
        f"<i>r</i> = {_NORM}<sub>1</sub>&thinsp;/&thinsp;{_NORM}<sub>2</sub> of the gradient <i>g</i> over the same "
        "samples, eq. (8) of Dong, Li and Lin. It lies between 1 and &radic;<i>d</i>, here with <i>d</i> = "
        "{num_parameters:,} parameters; a Gaussian vector has &radic;(2<i>d</i>/&pi;). Lion's rate matches the lower "
        "bound if <i>r</i> stays of the order of &radic;<i>d</i>."
    ),
    "kkt-residual": Markup(
        f"<i>S</i> = {_NORM}<sub>1</sub> + &lambda;&#10216;&theta;, <i>g</i>&#10217; with {{decay}}. "
        "Inside the box &#8214;&theta;&#8214;<sub>&infin;</sub> &le; 1/&lambda; it is never negative (Theorem 2 (i)), "
        "and it is zero exactly at a KKT point of min <i>f</i> over that box (Lemma 1)."
    ),
    "perplexity": Markup(
        "The perplexity that the run recorded at its checkpoints; its logarithm stands in the table of values through "
        "training."
    ),
    "agreement-share": Markup(
        "Recorded at single steps: of how many coordinates the step follows the sign of the gradient of its own "
        "minibatch, rather than that of the momentum."
    ),
    "saturation": Markup(
        "Recorded at single steps: how many weights lie on the edge of the box &#8214;&theta;&#8214;<sub>&infin;</sub> "
        "&le; 1/&lambda; that the run's own decay sets."
    ),
    "learning-rate": Markup(
        "Each marker is {marker} at its peak learning rate; the lowest of each line is what the other figures show."
        " A cross at the upper edge is a run that diverged, an open marker one that was "
        "stopped or has not finished.{zero}"
    ),
}

GROWTH = Markup(
    "Each marker is a network at an arm's best learning rate, mean over its seeds, at the last logging epoch. Lines: "
    "&radic;<i>d</i>, the most that <i>r</i> can be (solid), the Gaussian &radic;(2<i>d</i>/&pi;) (dashed), and the "
    "power law fitted to the first arm (dotted); the fits of every arm are in the table."
)
_STEPS = Markup(" Faint lines: of single steps, over their minibatches, with each run's own decay.")
_BANDED = ("training-loss", "test-metric", "norm-ratio", "kkt-residual", "perplexity")
_BAND = Markup(" Lines: the mean over the seeds; the band around one reaches from the least to the largest of them.")


def caption(key: str, task: TaskRuns) -> Markup:
    """Fill in the caption of one figure.

    Args:
        key: The figure's key.
        task: The task it is drawn for; whatever comes from its manifest is escaped.

    Returns:
        One or two sentences of HTML.
    """
    metric = task.info["metric"]
    label = metric["label"][:1].upper() + metric["label"][1:]
    better = "higher" if metric["higher_is_better"] else "lower"
    words = {"label": label, "better": better, "measured": _measured(task), "decay": decay_words([task])}
    text = _CAPTIONS[key].format(**{**task.info, **words, "marker": _marker(task), "zero": _zero(task)})
    if key in ("norm-ratio", "kkt-residual") and any(run.statistics for run in task.runs):
        text += _STEPS
    return text + _BAND if task.has_seeds and key in _BANDED else text


def _measured(task: TaskRuns) -> str:
    """Say over which samples the full gradient was taken; over a part of them it is an approximation."""
    part = estimate(task.info)
    return (
        f"{part}, spread evenly" if part else f"the whole training set ({task.info['num_train']:,} {task.info['unit']})"
    )


def _marker(task: TaskRuns) -> str:
    return "the mean over the finished seeds" if task.has_seeds else "one finished run"


def _zero(task: TaskRuns) -> str:
    """Say which runs the log axis has no place for."""
    count = sum(run.lr <= 0 for run in task.runs)
    return f" Not drawn on the log axis: {count} run{'s' if count > 1 else ''} at rate 0." if count else ""
