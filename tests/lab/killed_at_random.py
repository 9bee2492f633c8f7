"""Train a recipe, killed by SIGKILL after random times, until it has ended; `test_resume` runs this.

    python killed_at_random.py RECIPE OUT KILLS SEED

OUT/whole is a run that nobody kills. OUT/killed is killed so often, each time between 0.1 and 0.35 seconds after
its process began, and trained on by another. Processes are forked from this one, so that torch is imported once.
Prints the step of the checkpoint after each kill.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from lionkit_lab import tasks
from lionkit_lab.recipe import load
from lionkit_lab.train import train


def born(recipe, folder):
    child = os.fork()
    if child == 0:
        train(recipe, folder)
        os._exit(0)
    return child


def main():
    torch.set_num_threads(1)
    recipe, out, draw = load(sys.argv[1]), Path(sys.argv[2]), random.Random(int(sys.argv[4]))
    tasks.build(recipe).model()  # imports transformers, for every life to come
    for _ in range(int(sys.argv[3])):
        child = born(recipe, out / "killed")
        time.sleep(draw.uniform(0.1, 0.35))
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL, "the run has ended before its last kill"
        pointer = out / "killed" / "checkpoint.json"
        print(json.loads(pointer.read_text())["step"] if pointer.exists() else 0)
    for name in ("killed", "whole"):
        assert os.waitpid(born(recipe, out / name), 0)[1] == 0


if __name__ == "__main__":
    main()
