"""The two ways in which a command can end badly, and the hint that names the nearest known name."""

from collections.abc import Iterable
from difflib import get_close_matches


class LabError(Exception):
    """An error that the command line prints as one line, without a traceback."""

    exit_code = 1


class UsageError(LabError):
    """What was asked for cannot be: a bad recipe, key, name, value or output folder."""

    exit_code = 2


class RunError(LabError):
    """What was asked for went wrong: a damaged file or checkpoint, a loss that diverged."""

    exit_code = 1


class DivergenceError(RunError):
    """A loss that is not finite ended the run; its record says so."""


class StoppedError(DivergenceError):
    """An early warning ended the run, before its loss was no number any more; its record says so."""


class ToldElsewhereError(RunError):
    """Another process of the run tells of the error that ends this one too."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Hint at the known name that is nearest to ``name``.

    Returns:
        ``' (did you mean "lion"?)'``, with its leading space, or ``''`` when no known name is near.
    """
    close = get_close_matches(name, list(known), n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""
