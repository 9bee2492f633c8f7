"""Where fetched data and token shards are kept."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return ``$LIONKIT_CACHE``, or ``lionkit`` in ``$XDG_CACHE_HOME``, or ``~/.cache/lionkit``; it may not exist."""
    own = os.environ.get("LIONKIT_CACHE")
    if own:
        return Path(own)
    common = os.environ.get("XDG_CACHE_HOME")
    return (Path(common) if common else Path.home() / ".cache") / "lionkit"
