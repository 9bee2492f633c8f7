"""Trackers of experiments, by name: they hear of the records, which stay the truth."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from accelerate import tracking

from lionkit_lab.errors import UsageError, nearest

_PACKAGES = {"comet_ml": "comet-ml"}  # whose package has another name
_SILENT = ("kind", "step")


class Trackers:
    """The trackers that a recipe names; without names, none.

    Args:
        names: Of accelerate's trackers.
        project: What the runs belong to.
        folder: Where those write that write files: the run folder.
        recipe: The recipe, as JSON.
        note: Hears of a tracker that failed; the run goes on without it.

    Raises:
        UsageError: One is not known, or its package is not installed.
    """

    def __init__(
        self,
        names: Sequence[str],
        project: str,
        folder: Path,
        recipe: dict[str, Any],
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._waiting, self._project, self._folder, self._recipe = tuple(names), project, folder, recipe
        self._note = note
        self._open: dict[str, tracking.GeneralTracker] = {}
        for name in names:
            _check(name)

    def hear(self, record: dict[str, Any]) -> None:
        """Pass the numbers of a record on, each as ``kind/key``; the first one starts the trackers."""
        self._start()
        if not self._open:
            return
        numbers = {key: value for key, value in record.items() if isinstance(value, int | float) and key not in _SILENT}
        named = {f"{record['kind']}/{key}": value for key, value in numbers.items()}
        for name, tracker in list(self._open.items()):
            with self._dropping(name):
                tracker.log(named, step=record["step"])

    def _start(self) -> None:
        waiting, self._waiting = self._waiting, ()
        for name in waiting:
            with self._dropping(name):
                kind: Any = tracking.LOGGER_TYPE_TO_CLASS[name]
                places = {"logging_dir": self._folder / "trackers"} if kind.requires_logging_directory else {}
                tracker = kind(self._project, **places)
                tracker.start()
                tracker.store_init_configuration(_flat(self._recipe))
                self._open[name] = tracker

    @contextmanager
    def _dropping(self, name: str) -> Iterator[None]:
        """Go on without a tracker that fails: the records hold what it would have heard."""
        try:
            yield
        except Exception as error:  # Whatever it is, such as a server that is gone: it is no reason to end a run.
            self._open.pop(name, None)
            why = f"{type(error).__name__}: {error}".partition("\n")[0]
            self._note(f'warning: {self._folder}: tracker "{name}" failed and hears no more: {why}')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name, tracker in list(self._open.items()):
            with self._dropping(name):
                tracker.finish()
        self._open.clear()


def _check(name: str) -> None:
    known = sorted(tracking.LOGGER_TYPE_TO_CLASS)
    if name not in known:
        hint = nearest(name, known)
        raise UsageError(f'tracking.trackers: "{name}" is not known{hint}; known: {", ".join(known)}')
    if name not in tracking.get_available_trackers():
        package = _PACKAGES.get(name, name)
        raise UsageError(f'tracking.trackers: "{name}" needs a package that is missing: pip install {package}')


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value if isinstance(value, int | float | str | bool) else str(value)
    return flat
