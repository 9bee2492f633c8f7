"""What of a recipe does not go with processes that agree on directions."""

from collections.abc import Iterator

from lionkit_lab.recipe._sections import Logging, Training
from lionkit_lab.recipe._watch import WatchSettings

_NO_GRADIENT = "what was agreed on is no gradient"


def misfits(training: Training, logging: Logging, watch: WatchSettings) -> Iterator[tuple[str, object, str]]:
    """Yield each setting that is not allowed: its key, its value, and why or what is.

    After a backward pass the gradients are gone and the momenta have moved: nothing can look at the ones, or leave out
    a step without the others.

    Args:
        training: The recipe's.
        logging: The recipe's.
        watch: The recipe's.
    """
    if training.clip is not None:
        yield "training.clip", training.clip, f'{_NO_GRADIENT} to clip; must be "none"'
    if logging.statistics_every is not None:
        yield "logging.statistics_every", logging.statistics_every, f"{_NO_GRADIENT} to measure"
    if watch.gradient_spike.action != "off":
        yield "watch.gradient_spike.action", watch.gradient_spike.action, f'{_NO_GRADIENT}; must be "off"'
    for name in ("non_finite", "loss_spike"):
        if getattr(watch, name).action == "skip":
            yield f"watch.{name}.action", "skip", 'a step left out has moved the momenta; take "rollback" or "stop"'
