"""The database of a sweep, which may go away for a while."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from lionkit_lab.errors import RunError, UsageError

LOST = (StorageInternalError, SQLAlchemyError)
"""What a database raises that is away, or locked by others for too long."""

PATIENCE = 3600.0
"""Seconds that a sweep waits for its database: runs are saved in their folders, so nothing is lost after it either."""

_RETRY = 1.0  # seconds between two attempts
_FIRST_ATTEMPTS = 5  # two processes that make the tables of a new database at once are in each other's way
_BUSY = 30  # seconds that SQLite waits for another writer

T = TypeVar("T")


class Database:
    """Where the sweep's trials are kept.

    Args:
        url: As SQLAlchemy has it, such as ``sqlite:///sweep.db`` or ``postgresql://user@host/name``.
        note: Hears that the database is away, and that it is back.

    Raises:
        UsageError: There is no such database, or its driver is missing.
    """

    def __init__(self, url: str, note: Callable[[str], None]) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._name = _without_password(url)
        self._note = note
        self.storage = self._open(url)

    def call(self, ask: Callable[[], T]) -> T:
        """Return what ``ask`` returns; while the database is away, wait and ask again.

        Raises:
            RunError: It stayed away.
        """
        away_since = None
        while True:
            try:
                answer = ask()
            except LOST as error:
                away_since = self._wait(error, away_since)
            else:
                if away_since is not None:
                    self._note(f"database {self._name} is back")
                return answer

    def _wait(self, error: Exception, away_since: float | None) -> float:
        now = time.monotonic()
        if away_since is None:
            self._note(f"warning: database {self._name} is away ({_reason(error)}): waiting for it")
        elif now - away_since > PATIENCE:
            stayed = f"database {self._name} stayed away for {PATIENCE:.0f} s ({_reason(error)})"
            raise RunError(f"{stayed}; finished runs are kept: the same command goes on") from error
        time.sleep(_RETRY)
        return now if away_since is None else away_since

    def _open(self, url: str) -> RDBStorage:
        for left in reversed(range(_FIRST_ATTEMPTS)):
            try:
                return RDBStorage(url, engine_kwargs=_engine(url))
            except ImportError as error:
                driver = error.__cause__.name if isinstance(error.__cause__, ImportError) else None
                raise UsageError(f'database {self._name}: package "{driver}" is missing: pip install it') from error
            except (*LOST, RuntimeError) as error:
                if not left:
                    raise UsageError(f"database {self._name} cannot be opened: {_reason(error)}") from error
                time.sleep(0.2)
        raise AssertionError


def sqlite(file: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{file}"


def _engine(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": _BUSY}}
    return {"pool_pre_ping": True}  # a server that was restarted has dropped its connections


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError as error:
        allowed = "must be a URL such as sqlite:///sweep.db or postgresql://user@host/name"
        raise UsageError(f'--storage "{url}" is not allowed: {allowed}') from error


def _reason(error: BaseException) -> str:
    """Return the database's own words, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
