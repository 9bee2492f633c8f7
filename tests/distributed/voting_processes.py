"""Real processes on this machine that vote, and what they send home; none outlives its test."""

import multiprocessing
import os
import tempfile
import time
import traceback
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["torch", "torch.nn.parallel", "lionkit.distributed"])


def run(function, workers, *args, seconds=60):
    """Call ``function(rank, *args)`` in so many processes of one gloo group, and return what each has returned."""
    with tempfile.TemporaryDirectory() as folder:
        processes = [
            _CONTEXT.Process(target=_worker, args=(function, rank, workers, Path(folder), args), daemon=True)
            for rank in range(workers)
        ]
        for process in processes:
            process.start()
        _join(processes, time.monotonic() + seconds)
        found = [torch.load(Path(folder) / f"{rank}.pt", weights_only=False) for rank in range(workers)]
    for rank, (_, failure) in enumerate(found):
        assert failure is None, f"rank {rank}:\n{failure}"
    return [result for result, _ in found]


def _join(processes, deadline):
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
    late = [rank for rank, process in enumerate(processes) if process.is_alive()]
    for process in processes:
        process.kill()
        process.join()
    assert not late, f"ranks {late} have not come back"


def _worker(function, rank, workers, folder, args):
    torch.set_num_threads(1)
    found = None, None
    try:
        dist.init_process_group(
            "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=workers, timeout=timedelta(seconds=30)
        )
        found = function(rank, *args), None
        dist.destroy_process_group()
    except BaseException:
        found = None, traceback.format_exc()
    torch.save(found, folder / f"{rank}.pt")


def die(rank):
    """End this process amid its work, having returned None."""
    torch.save((None, None), Path(_store().path).parent / f"{rank}.pt")
    os._exit(0)


def _store():
    store = dist.distributed_c10d._get_default_store()
    while hasattr(store, "underlying_store"):
        store = store.underlying_store
    return store
