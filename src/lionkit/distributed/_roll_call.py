"""Who is still there when a vote has failed: gloo says that a connection broke, and not whose."""

from __future__ import annotations

import time

import torch.distributed as dist

from lionkit.distributed._errors import VoteError, named

_PATIENCE = 10.0  # seconds: as long as others may compute before they notice, too
_PAUSE = 0.05


def missing(store: dist.Store, name: str, rank: int, workers: int, patience: float) -> list[int]:
    """Sign in, and return the ranks that have not after so many seconds; once in a run.

    Args:
        store: Of the process group.
        name: Of the process group: others of the store have rolls of their own.
        rank: This process's.
        workers: How many there should be.
        patience: How long to wait for the others, in seconds.
    """
    store.set(_key(name, rank), "here")
    end = time.monotonic() + patience
    others = set(range(workers)) - {rank}
    while others and time.monotonic() < end:
        others = {other for other in others if not store.check([_key(name, other)])}
        time.sleep(_PAUSE)
    return sorted(others)


def failure(error: Exception, group: dist.ProcessGroup) -> VoteError:
    """Return the error of a failed vote of a group, with the ranks in the whole job that are gone."""
    why = " ".join(str(error).split())
    try:
        rank, ranks = dist.get_rank(group), dist.get_process_group_ranks(group)
    except (RuntimeError, ValueError):
        return VoteError(f"a vote has failed, and its process group is gone: {why}")
    here = f"rank {ranks[rank]}: a vote has failed"
    try:
        store = dist.distributed_c10d._get_default_store()
        gone = missing(store, group.group_name, rank, len(ranks), _PATIENCE)
    except RuntimeError:  # DistStoreError, DistNetworkError: the store lived in a process that is gone
        return VoteError(f"{here}, and the store of the process group is gone: {why}")
    if not gone:
        return VoteError(f"{here}: {why}")
    lost = [ranks[other] for other in gone]
    return VoteError(f"{here}: {named(lost, 'does', 'do')} not answer ({why})", lost)


def _key(name: str, rank: int) -> str:
    return f"lionkit/roll_call/{name}/{rank}"
