"""Train a recipe again and again, killed by SIGKILL at each of its writes in turn; `test_resume` runs this.

    python killed_lives.py RECIPE OUT FIRST STEP

OUT/whole is a run that nobody kills. OUT/<n>, for n = FIRST, FIRST + STEP, ..., is killed right before its n-th
change of the disk, and then trained to its end by another process. Processes are forked from this one, so
that torch is imported once. Prints the number of changes in a whole run.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

import torch

from lionkit_lab import tasks
from lionkit_lab.recipe import load
from lionkit_lab.record import Lines
from lionkit_lab.train import train


def live(recipe, folder, die_before=None):
    """Train in a forked process that kills itself; return how many changes of the disk it lived to see."""
    read_end, write_end = os.pipe()
    if os.fork() == 0:
        train(recipe, folder, Mortal(die_before, write_end))
        os._exit(0)
    os.close(write_end)
    _, status = os.wait()
    assert status == (0 if die_before is None else signal.SIGKILL), status
    with os.fdopen(read_end, "rb") as changes:
        return len(changes.read())


class Mortal:
    """Counts every change of the disk, and kills the process before the one that was chosen."""

    def __init__(self, die_before, changes):
        self.left, self.changes = die_before, changes
        changes_of_the_disk = (
            (os, "fsync"),
            (Path, "mkdir"),
            (Path, "rename"),  # torch's way to put its metadata in place
            (Path, "replace"),
            (shutil, "rmtree"),
            (os, "unlink"),  # of what rmtree removes
            (Lines, "write"),
        )
        for owner, name in changes_of_the_disk:
            setattr(owner, name, self.counted(getattr(owner, name)))

    def counted(self, change):
        def wrapper(*args, **kwargs):
            if self.left is not None:
                self.left -= 1
                if self.left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            os.write(self.changes, b".")
            return change(*args, **kwargs)

        return wrapper

    def begin(self, done, total):
        pass

    def step(self, done, loss):
        pass

    def note(self, message):
        assert "differ" not in message
        assert "otherwise" not in message


def main():
    torch.set_num_threads(1)
    recipe, out = load(sys.argv[1]), Path(sys.argv[2])
    tasks.build(recipe).model()  # imports transformers, for every life to come
    first, step = int(sys.argv[3]), int(sys.argv[4])
    changes = live(recipe, out / "whole")
    for moment in range(first, changes + 1, step):
        live(recipe, out / str(moment), die_before=moment)
        live(recipe, out / str(moment))
    print(changes)


if __name__ == "__main__":
    main()
