"""What is measured, and on what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import torch

from lionkit import kernels
from lionkit_lab.bench._contenders import CONTENDERS
from lionkit_lab.machine import commit, machine


def circumstances(names: Sequence[str]) -> dict[str, str]:
    """Describe the run: no names of users, hosts or folders.

    Args:
        names: Of the contenders.
    """
    here = machine()
    return {
        "commit": commit() or "",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": here["processor"],
        "cores": str(here["cores"]),
        "threads": str(here["threads"]),
        "torch": torch.__version__,
        "native kernel": kernels.describe().splitlines()[0].removeprefix("native").strip(),
        "versions": ", ".join(dict.fromkeys(_versions(names))),
        "missing": ", ".join(
            dict.fromkeys(CONTENDERS[name].distribution for name in names if CONTENDERS[name].missing)
        ),
    }


def _versions(names: Sequence[str]) -> list[str]:
    found = [CONTENDERS[name] for name in names if not CONTENDERS[name].missing]
    return [f"{contender.distribution} {contender.version}" for contender in found]
