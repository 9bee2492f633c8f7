"""Let processes agree on the steps of recipes, and keep what has become of each of them; `test_agreement` runs this.

    torchrun --nproc-per-node N agreeing.py RECIPE OUT

OUT/<case>.pt has the losses, and by rank the weights and momenta, of STEPS steps; OUT/<case> is the run folder of a
checkpoint that was saved after SAVED of them, and OUT/<case>, resumed.pt what came of going on from there. OUT/rolled
back is a run that diverged, and went back.
"""

import sys
from pathlib import Path

import torch

from lionkit_lab import checkpoint, tasks
from lionkit_lab.engine import Engine, Processes
from lionkit_lab.recipe import load
from lionkit_lab.state import TrainingState, restore, snapshot
from lionkit_lab.train import train

STEPS, SAVED = 25, 11
LION_K = "optimizer={name='lion_k', lr=3e-3, betas=[0.8, 0.95], weight_decay=0.3, kappa={name='truncated_l1', e=1e-3}}"
VOTE, MEAN, FLOAT64 = "engine.agreement=vote", "engine.agreement=mean", "engine.precision=float64"
CASES = {
    "vote": [VOTE],
    "mean, parts": [MEAN, FLOAT64, "engine.accumulate=4"],
    "vote, zeros, bfloat16": [VOTE, LION_K, "optimizer.momentum_dtype=bfloat16", "engine.precision=bfloat16"],
    "vote, batch norm": [VOTE, "model={name='resnet', widths=[4, 6]}"],
    "mean, int8, dropout": [MEAN, "optimizer.momentum_dtype=int8", "model.dropout=0.2", "model.width=64"],
}
ABSURD = ["optimizer.lr=1e30", "watch.non_finite.action=rollback", "watch.lr_factor=1e-33", "training.steps=12"]


def main() -> None:
    torch.set_num_threads(1)
    path, out, processes = Path(sys.argv[1]), Path(sys.argv[2]), Processes()
    for name, overrides in CASES.items():
        state, losses = begun(path, overrides, processes), []
        for step in range(STEPS):
            if step == SAVED:
                processes.on_first((out / name).mkdir)
                checkpoint.save(out / name, snapshot(state), processes)
            losses.append(state.update())
        keep(out / f"{name}.pt", state, losses, processes)
        again = begun(path, overrides, processes)
        saved = checkpoint.load(out / name, processes)
        assert saved is not None
        restore(again, saved)
        keep(out / f"{name}, resumed.pt", again, [again.update() for _ in range(STEPS - SAVED)], processes)
    train(load(path, [VOTE, *ABSURD]), out / "rolled back")


def begun(path: Path, overrides: list[str], processes: Processes) -> TrainingState:
    recipe = load(path, overrides)
    engine, task = Engine(recipe.engine, processes), tasks.build(recipe)
    engine.feed(task)
    return TrainingState(recipe, task, engine)


def keep(path: Path, state: TrainingState, losses: list[float], processes: Processes) -> None:
    params = dict(state.model.named_parameters())
    weights = {name: param.detach() for name, param in params.items()}
    momenta = {name: state.optimizer.state[param] for name, param in params.items()}
    by_rank = processes.gather({"weights": weights, "momenta": momenta})
    processes.on_first(lambda: torch.save({"losses": losses, "by rank": by_rank}, path))


if __name__ == "__main__":
    main()
