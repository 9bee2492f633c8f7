"""Processes that agree are killed at random under torchrun's restarts, and fewer go on where all were lost."""

import random
import shutil
import time
from pathlib import Path

import pytest
import torch
from agreeing import begun
from elastic_lives import checkpoint_step, killed_runs, lines
from elastic_run import PATIENCE, Elastic
from test_resume import assert_same_run, records, weights
from test_torchrun import errors

from lionkit_lab import checkpoint
from lionkit_lab.engine import Processes
from lionkit_lab.record import read_run

KILLS = 20
STEPS = 400
EXACT = ["engine.precision=float64", "model.dropout=0"]  # to be followed by a plain loop, on any number of processes


def voting(tiny: Path, steps: int = STEPS) -> Path:
    """Write a recipe whose first step comes after a few seconds, and the last of 400 as many seconds later."""
    text = tiny.read_text()
    for before, after in (
        ("clip = 1.0\n", ""),
        ("steps = 12", f"steps = {steps}"),
        ("every = 4", "every = 50"),
        ("checkpoint_every = 3", "checkpoint_every = 10"),
        ("seed = 3", 'seed = 3\n[engine]\nagreement = "vote"'),
    ):
        assert before in text
        text = text.replace(before, after)
    path = tiny.with_name("voting.toml")
    path.write_text(text)
    return path


def test_a_kill_between_two_checkpoints_is_recovered(tiny: Path, tmp_path: Path) -> None:
    run = Elastic(voting(tiny, steps=60), tmp_path / "run", 2, restarts=1)
    try:
        life = run.life()
        while len(lines(run.out / "records.jsonl")) < 38:
            assert not run.has_ended(), run.said.read_text()
            time.sleep(0.001)
        life[1].kill()
        assert run.wait() == 0, run.said.read_text()
    finally:
        run.kill_all()
    said = run.said.read_text()
    assert said.count("resumed at step") == 1
    assert "otherwise" not in said  # the steps that were taken twice have had the same losses, to the bit
    assert [step["step"] for step in read_run(run.out).steps] == list(range(1, 61))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("processes", [2, 4])
def test_nothing_is_lost_by_twenty_kills(tiny: Path, tmp_path: Path, processes: int) -> None:
    kills = []
    for folder, found in killed_runs(voting(tiny), tmp_path, processes, KILLS, seed=5):
        assert_same_run(tmp_path / "whole", folder)
        said = folder.with_name(folder.name + ".txt").read_text()
        assert "otherwise" not in said
        assert said.count("failed (exitcode: -9)") == len(found)  # each process was there to be killed
        kills += found
    assert len(kills) == KILLS
    assert len({kill.rank for kill in kills}) > 1
    assert len({kill.phase for kill in kills}) > 1
    assert max(kill.step - max(kill.checkpoint, 0) for kill in kills) <= 10  # steps between two checkpoints


def lost(recipe: Path, out: Path, processes: int) -> int:
    """Train until all processes and torchrun are killed at a random moment; return the step of the checkpoint."""
    run, end = Elastic(recipe, out, processes, *EXACT), time.monotonic() + PATIENCE
    while checkpoint_step(out) < STEPS // 8:
        assert not run.has_ended(), run.said.read_text()
        assert time.monotonic() < end
        time.sleep(0.01)
    time.sleep(random.Random(6).uniform(0.0, 1.5))
    run.kill_all()
    return checkpoint_step(out)


def gone_on(recipe: Path, folder: Path, workers: int, how: str, lrs: dict[int, float]) -> tuple[dict, list[dict]]:
    """Return the weights, and by worker the momenta, that Algorithm 1 makes of what the checkpoint has.

    Args:
        recipe: The run's.
        folder: Where the run was lost.
        workers: How many go on.
        how: With which momenta.
        lrs: The learning rate of each step, by its number.
    """
    saved = checkpoint.load(folder)
    assert saved is not None
    kept = weights(folder)
    state = begun(recipe, [*EXACT, "engine.agreement=none"], Processes())
    state.model.load_state_dict(saved.weights())
    (group,), x = state.optimizer.param_groups, dict(state.model.named_parameters())
    (beta1, beta2), decay = group["betas"], group["weight_decay"]
    old = {name: [kept[f"worker {rank}/{name}/exp_avg"] for rank in range(4)] for name in x}
    factor = 1.0 if how == "average" else 0.0
    m = [{name: factor * sum(old[name]) / 4 for name in x} for _ in range(workers)]
    for step in range(saved.step, STEPS):
        votes = {name: torch.zeros_like(param) for name, param in x.items()}
        for worker in range(workers):
            for name, grad in gradients(state, step, worker, workers).items():
                votes[name] += torch.sign(beta1 * m[worker][name] + (1 - beta1) * grad)
                m[worker][name] = beta2 * m[worker][name] + (1 - beta2) * grad
        with torch.no_grad():
            for name, param in x.items():
                lr = lrs[step + 1]
                param.copy_((1 - lr * decay) * param - lr * torch.sign(votes[name]))
    return {name: param.detach() for name, param in x.items()}, m


def gradients(state, step: int, worker: int, workers: int) -> dict[str, torch.Tensor]:
    """Return those of a worker's part of the batch, whose mean over the workers is that of the batch."""
    task = state._task
    rows = [len(task.batch(step, part, workers)[0]) for part in range(workers)]
    state.model.zero_grad()
    share = rows[worker] / sum(rows)
    (task.loss(state.model, task.batch(step, worker, workers)) * (share * workers)).backward()
    return {name: param.grad for name, param in state.model.named_parameters()}


# A key's bias shifts all scores of a query alike: its gradient is rounding alone, and the sign of that is chance.
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_go_on_where_four_were_lost(tiny: Path, tmp_path: Path) -> None:
    recipe = voting(tiny)
    step = lost(recipe, tmp_path / "run", 4)
    assert STEPS // 8 <= step < STEPS
    ends = {}
    for how in ("average", "restart"):
        shutil.copytree(tmp_path / "run", tmp_path / how)
        again = Elastic(recipe, tmp_path / how, 2, *EXACT, f"engine.momenta={how}")
        assert again.wait() == 0, again.said.read_text()
        assert f"resumed at step {step}" in again.said.read_text()
        ends[how] = weights(tmp_path / how)
        lrs = {step["step"]: step["lr"] for step in read_run(tmp_path / how).steps}
        expected, momenta = gone_on(recipe, tmp_path / "run", 2, how, lrs)
        (chance,) = [name for name in expected if all(own[name].abs().max() < 1e-13 for own in momenta)]
        assert chance.endswith("k_proj.bias")
        del expected[chance]
        for name, value in expected.items():
            torch.testing.assert_close(ends[how][name], value, rtol=1e-10, atol=1e-12)
            for rank, own in enumerate(momenta):
                found = ends[how][f"worker {rank}/{name}/exp_avg"]
                torch.testing.assert_close(found, own[name], rtol=1e-8, atol=1e-12)
        assert not any("worker 2" in name for name in ends[how])
    assert not all(value.equal(ends["restart"][name]) for name, value in ends["average"].items())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_are_refused_where_four_were_lost(tiny: Path, tmp_path: Path) -> None:
    recipe = voting(tiny)
    step = lost(recipe, tmp_path / "run", 4)
    before = records(tmp_path / "run")
    again = Elastic(recipe, tmp_path / "run", 2, *EXACT)
    assert again.wait() != 0
    (error,) = errors(again.said.read_text())
    assert error.startswith('error: engine.momenta: "refuse" is not allowed here: the checkpoint has the momenta of 4')
    assert records(tmp_path / "run") == before
    assert checkpoint_step(tmp_path / "run") == step
    on = Elastic(recipe, tmp_path / "run", 4, *EXACT)
    assert on.wait() == 0, on.said.read_text()
