"""Runs under torchrun that are killed at random moments.

    python elastic_lives.py RECIPE OUT PROCESSES KILLS SEED [KEY=VALUE ...]

OUT/whole is a run that nobody kills, made where it is not there yet. In OUT/SEED-0, OUT/SEED-1, ... random ranks are
killed by SIGKILL at random moments of the processes' lives, until there were so many kills. Prints each as JSON.
"""

import json
import random
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from elastic_run import PATIENCE, PAUSE, Elastic, is_there

from lionkit_lab import atomic


@dataclass
class Kill:
    """What became of one kill.

    Attributes:
        rank: Of the process that was killed.
        after: Seconds from the start of its life.
        phase: "start", "training", "checkpoint" or "end".
        step: Of the last record that stood.
        checkpoint: The step of the checkpoint in force; -1 where there was none yet.
        recovery: Seconds until the next life had read it, or had ended.
    """

    rank: int
    after: float
    phase: str
    step: int
    checkpoint: int
    recovery: float = 0.0


def lines(path: Path) -> list[dict]:
    """Return the JSON lines of a file that are whole, none where there is no file."""
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]] if path.exists() else []


def checkpoint_step(out: Path) -> int:
    """Return the step of the checkpoint in force; -1 where there is none."""
    pointer = out / "checkpoint.json"
    return json.loads(pointer.read_text())["step"] if pointer.exists() else -1


def killed(run: Elastic, life: dict[int, psutil.Process], rank: int, born: float, laps: int) -> Kill:
    """Kill a process, and look at what it was in the middle of.

    Args:
        run: Whose process.
        life: The processes by rank.
        rank: Of the one to kill.
        born: When they were first seen, by `time.time`.
        laps: Lines that the run's timing had then.
    """
    life[rank].send_signal(signal.SIGKILL)
    now, stand = time.time(), lines(run.out / "records.jsonl")
    begun = [it for it in run.out.glob(f"step-*{atomic.TEMPORARY}") if _changed(it) > born]
    if stand and stand[-1]["kind"] == "end":
        phase = "end"
    elif len(lines(run.out / "timing.jsonl")) == laps and not begun:
        phase = "start"
    else:
        phase = "checkpoint" if begun else "training"
    return Kill(rank, now - born, phase, stand[-1]["step"] if stand else 0, checkpoint_step(run.out))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


@dataclass
class Pace:
    """How long a run takes that nobody kills: until its first step, and then to its end, in seconds."""

    start: float
    training: float
    steps: int

    def draw(self, draws: random.Random, done: int) -> float:
        """Draw a moment of a life that begins with so many steps done."""
        return draws.uniform(0.0, self.start + self.training * (1 - done / self.steps))


def whole(recipe: Path, out: Path, processes: int, *overrides: str) -> Pace:
    """Train to the end."""
    run = Elastic(recipe, out, processes, *overrides)
    run.life()
    born = time.time()
    while not lines(out / "records.jsonl"):
        assert not run.has_ended(), run.said.read_text()
        time.sleep(PAUSE)
    begun = time.time()
    assert run.wait() == 0, run.said.read_text()
    return Pace(begun - born, time.time() - begun, lines(out / "records.jsonl")[-1]["step"])


class Lives:
    """One run, killed on its way.

    Attributes:
        kills: Those so far.
    """

    def __init__(self, recipe: Path, out: Path, processes: int, most: int, *overrides: str) -> None:
        self.run = Elastic(recipe, out, processes, *overrides, restarts=most)
        self.kills: list[Kill] = []
        self._deaths: list[float] = []  # of the kills whose recovery is still to come
        self._laps = 0

    def train(self, most: int, pace: Pace, draws: random.Random) -> None:
        """Train to the end, under at most so many kills; fewer where a life ends before its moment."""
        try:
            life = self.run.life()
            while len(self.kills) < most and life:
                born, self._laps = time.time(), self._count()
                self._live_until(born + pace.draw(draws, max(0, checkpoint_step(self.run.out))))
                rank = draws.randrange(len(life))
                if not is_there(life[rank]):
                    break
                self.kills.append(killed(self.run, life, rank, born, self._laps))
                self._deaths.append(time.time())
                if self.kills[-1].phase == "end":
                    break
                self._laps = self._count()
                life = self.run.life(frozenset(it.pid for it in life.values()))
            self._live_until(time.time() + PATIENCE)
            assert self.run.wait() == 0, self.run.said.read_text()
        finally:
            self.run.kill_all()

    def _live_until(self, moment: float) -> None:
        """Wait, and see when a life that follows a kill has read its checkpoint, or has nothing left to do."""
        while time.time() < moment and not self.run.has_ended():
            if self._deaths and self._count() > self._laps:
                self._recover()
            time.sleep(PAUSE)
        if self.run.has_ended():
            self._recover()

    def _recover(self) -> None:
        for kill, death in zip(self.kills[-len(self._deaths) :], self._deaths, strict=False):
            kill.recovery = time.time() - death
        self._deaths.clear()

    def _count(self) -> int:
        return len(lines(self.run.out / "timing.jsonl"))


def killed_runs(
    recipe: Path, out: Path, processes: int, kills: int, seed: int, *overrides: str
) -> Iterator[tuple[Path, list[Kill]]]:
    """Train OUT/whole, and others beside it until there were so many kills; yield the folder and kills of each."""
    draws = random.Random(seed)
    kept, number = out / "pace.json", 0
    if not kept.exists():
        kept.write_text(json.dumps(asdict(whole(recipe, out / "whole", processes, *overrides))))
    pace = Pace(**json.loads(kept.read_text()))
    while kills > 0:
        folder = out / f"{seed}-{number}"
        lives = Lives(recipe, folder, processes, kills, *overrides)
        lives.train(kills, pace, draws)
        kills, number = kills - len(lives.kills), number + 1
        yield folder, lives.kills


def main() -> None:
    recipe, out, processes, kills, seed, *overrides = sys.argv[1:]
    runs = killed_runs(Path(recipe), Path(out), int(processes), int(kills), int(seed), *overrides)
    for folder, found in runs:
        for kill in found:
            print(json.dumps({"run": folder.name} | asdict(kill)), flush=True)


if __name__ == "__main__":
    main()
