"""Sweep in several processes, some of them killed by SIGKILL; `test_sweep_processes` runs this.

    python sweeping_processes.py RECIPE OUT SAMPLER WORKERS KILLS

Sweeps RECIPE in OUT with WORKERS processes at once. KILLS times one of them, in turn, is killed at a moment drawn
at random, and another one takes its place; every third is killed while it may still be opening the database, another
after it has begun a run, and the third as soon as some run has a checkpoint to go on from. Processes are forked from
this one, so that torch is imported once. Each appends the runs that it began to OUT/PID.began, and what it was told to
OUT/PID.notes.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from lionkit_lab import sweep, tasks
from lionkit_lab.recipe import load
from lionkit_lab.sweep import _sweep, _worker

SEEDS = 2
TRIALS = 4


class Listener:
    """Writes down what this process hears."""

    def __init__(self, out):
        self.out = out

    def start(self, label):
        self.append("began", label)

    def note(self, message):
        self.append("notes", message)

    def append(self, kind, line):
        with (self.out / f"{os.getpid()}.{kind}").open("a") as stream:
            stream.write(f"{line}\n")

    def finish(self, result):
        pass

    reach = finish

    def begin(self, done, total):
        pass

    step = begin


def work(recipe, out, sampler):
    """Sweep in a forked process; return its id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            listener = Listener(out)
            goal = sweep.goal_of(recipe, "train_loss", SEEDS)
            database = sweep.Database(f"sqlite:///{out / 'sweep.db'}", listener.note)
            studies = [sweep.ArmStudy(arm, goal, sampler, database) for arm in sweep.arms_of(recipe)]
            sweep.run(studies, database, out, listener)
            code = 0
        finally:
            os._exit(code)
    return child


def ended(child):
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def is_midway(out):
    """Whether a run has a checkpoint after its first step, and has not ended."""
    for path in out.rglob("checkpoint.json"):
        if (
            json.loads(path.read_bytes())["step"]
            and b'"kind": "end"' not in (path.parent / "records.jsonl").read_bytes()
        ):
            return True
    return False


def main():
    torch.set_num_threads(1)
    # Killed between taking a trial and signing it, a worker is known to be dead by its silence alone.
    _worker.GRACE, _sweep._POLL = 0.5, 0.05
    recipe, out = load(sys.argv[1]), Path(sys.argv[2])
    sampler = sweep.Grid() if sys.argv[3] == "grid" else sweep.TPE(TRIALS)
    workers, kills = int(sys.argv[4]), int(sys.argv[5])
    tasks.build(recipe).model()  # imports transformers, for every process to come
    out.mkdir(parents=True)
    moments = random.Random(5)
    alive = [work(recipe, out, sampler) for _ in range(workers)]
    for number in range(kills):
        victim = alive.pop(0)
        while number % 3 == 1 and not (out / f"{victim}.began").exists() and not ended(victim):
            time.sleep(0.005)
        while number % 3 == 2 and not is_midway(out) and not ended(victim):
            time.sleep(0.002)
        if number % 3 < 2:
            time.sleep(moments.uniform(0.02, 0.4))
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        alive.append(work(recipe, out, sampler))
    codes = [os.waitpid(child, 0)[1] for child in alive]
    assert codes == [0] * workers, codes


if __name__ == "__main__":
    main()
