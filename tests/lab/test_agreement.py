"""Processes that agree on a step's direction are workers of Distributed Lion, and a checkpoint has all of them."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from agreeing import CASES, SAVED, STEPS, VOTE, begun
from test_processes import ENVIRONMENT, TORCHRUN, overridden
from test_resume import records, weights
from tiny_recipe import TINY

from lionkit.distributed import Mean, VirtualWorkers, Vote
from lionkit.momentum import decode_state
from lionkit_lab import checkpoint
from lionkit_lab.engine import Processes
from lionkit_lab.errors import UsageError
from lionkit_lab.recipe import load
from lionkit_lab.record import read_run
from lionkit_lab.state import TrainingState, restore
from lionkit_lab.train import train

SHARED = ["vote", "mean, parts", "vote, zeros, bfloat16", "vote, batch norm"]  # others draw, each process its own


def written(folder: Path) -> Path:
    tiny = folder / "tiny.toml"
    tiny.write_text(TINY)
    return overridden(tiny, folder / "data", ("clip = 1.0", ""))


@dataclass
class Runs:
    """What `agreeing` has left of every case."""

    recipe: Path
    out: Path
    num_workers: int

    def of(self, case: str) -> dict[str, Any]:
        return torch.load(self.out / f"{case}.pt")


@pytest.fixture(scope="session", params=[2, pytest.param(4, marks=pytest.mark.slow)])
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("agreeing")
    recipe, script = written(folder), str(Path(__file__).with_name("agreeing.py"))
    command = [*TORCHRUN, str(request.param), script, str(recipe), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return Runs(recipe, folder, request.param)


class Reference:
    """Virtual workers on the parts of the batches that the processes had; the rows of a part are its weight."""

    def __init__(self, recipe: Path, overrides: list[str], num_workers: int) -> None:
        alone = [*overrides, "engine.agreement=none"]
        self.state = begun(recipe, alone, Processes())
        self.recipe, self.num_workers = load(recipe, alone), num_workers
        mode = Vote() if VOTE in overrides else Mean()
        self.workers = VirtualWorkers(self.state.optimizer, num_workers, mode)
        self.momenta: dict[str, torch.Tensor] = {}

    def step(self, number: int) -> float:
        params = dict(self.state.model.named_parameters())
        rows = [self.backward(number, worker) for worker in range(self.num_workers)]
        grads = {name: torch.stack([row[name] for _, row in rows]) for name in params}
        for name, grad in grads.items():
            self.momenta[name] = 0.95 * self.momenta.get(name, torch.zeros_like(grad)) + (1 - 0.95) * grad
        self.workers.vote({params[name]: grad for name, grad in grads.items()})
        self.state.optimizer.step()
        self.state.schedule.step()
        return sum(loss for loss, _ in rows)

    def backward(self, number: int, worker: int) -> tuple[float, dict[str, torch.Tensor]]:
        task, model, each = self.state._task, self.state.model, self.recipe.engine.accumulate
        parts = self.num_workers * each
        num_rows = sum(len(task.batch(number, part, parts)[0]) for part in range(parts))
        model.zero_grad()
        value = 0.0
        for part in range(worker * each, (worker + 1) * each):
            batch = task.batch(number, part, parts)
            share = len(batch[0]) / num_rows
            with self.state.engine.precision.autocast():
                loss = task.loss(model, batch if share else task.batch(number, 0, parts))
            (loss * (share * self.num_workers)).backward()
            value += share * loss.item()
        return value, {name: param.grad.clone() for name, param in model.named_parameters() if param.grad is not None}


@pytest.mark.parametrize("case", SHARED)
def test_processes_are_virtual_workers(runs: Runs, case: str) -> None:
    found, reference = runs.of(case), Reference(runs.recipe, CASES[case], runs.num_workers)
    assert found["losses"] == pytest.approx([reference.step(number) for number in range(STEPS)], rel=1e-12)
    for name, param in reference.state.model.named_parameters():
        assert found["by rank"][0]["weights"][name].equal(param), name
    if "parts" in case:  # in float64 a momentum written by hand is theirs but for its rounding
        for rank, own in enumerate(found["by rank"]):
            for name, momentum in reference.momenta.items():
                torch.testing.assert_close(own["momenta"][name]["exp_avg"], momentum[rank], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("case", CASES)
def test_weights_are_the_same_and_momenta_are_not(runs: Runs, case: str) -> None:
    first, *others = runs.of(case)["by rank"]
    assert len(others) == runs.num_workers - 1
    for other in others:
        assert all(other["weights"][name].equal(weight) for name, weight in first["weights"].items())
        for name, kept in first["momenta"].items():
            assert not all(other["momenta"][name][key].equal(value) for key, value in kept.items()), name


@pytest.mark.parametrize("case", CASES)
def test_each_process_goes_on_from_its_own_momenta(runs: Runs, case: str) -> None:
    whole, resumed = runs.of(case), runs.of(f"{case}, resumed")
    assert resumed["losses"] == whole["losses"][SAVED:]
    for one, other in zip(whole["by rank"], resumed["by rank"], strict=True):
        for name, weight in one["weights"].items():
            assert other["weights"][name].equal(weight), name
            kept = one["momenta"][name]
            assert kept.keys() == other["momenta"][name].keys()
            assert all(other["momenta"][name][key].equal(value) for key, value in kept.items()), name


def test_a_rollback_takes_the_momenta_back(runs: Runs) -> None:
    run = read_run(runs.out / "rolled back")
    assert run.end is not None
    assert run.end["status"] == "finished"
    (back,) = [record for record in run.others if record["kind"] == "rollback"]
    assert back["left"] > back["step"]
    found = weights(runs.out / "rolled back")
    assert all(tensor.isfinite().all() for tensor in found.values())
    assert {name.partition("/")[0] for name in found if "/" in name} == {f"worker {i}" for i in range(runs.num_workers)}


def alone(runs: Runs, case: str, momenta: str) -> TrainingState:
    state = begun(runs.recipe, [*CASES[case], f"engine.momenta={momenta}"], Processes())
    saved = checkpoint.load(runs.out / case)
    assert saved is not None
    restore(state, saved)
    return state


def saved_momenta(runs: Runs, case: str, state: TrainingState) -> dict[str, torch.Tensor]:
    """Return the momenta of all workers, from the files."""
    saved = checkpoint.load(runs.out / case)
    assert saved is not None
    tensors = saved.tensors(lambda _, shape, dtype: torch.zeros(shape, dtype=dtype), is_sharded=False)
    found = {}
    for name, param in state.model.named_parameters():
        folders = [f"worker {rank}/{name}/" for rank in range(runs.num_workers)]
        kept = [{key.removeprefix(at): it for key, it in tensors.items() if key.startswith(at)} for at in folders]
        found[name] = torch.stack([decode_state(own, param) for own in kept])
    return found


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("momenta", ["average", "restart"])
def test_another_number_of_processes_goes_on_as_asked(runs: Runs, case: str, momenta: str) -> None:
    state = alone(runs, case, momenta)
    assert state.step == SAVED
    for name, found in saved_momenta(runs, case, state).items():
        param = state.model.get_parameter(name)
        kept = decode_state(state.optimizer.state[param], param)
        mean = found.double().mean(0) if momenta == "average" else torch.zeros_like(param, dtype=torch.float64)
        coarse = mean.abs().max() / 60 if "int8" in case else 4e-3 * mean.abs() if "bfloat16" in case else 1e-6
        assert ((kept.double() - mean).abs() <= coarse).all(), name
        assert momenta == "restart" or kept.any(), name
    state.update()


def test_another_number_of_processes_must_be_asked_for(runs: Runs) -> None:
    with pytest.raises(UsageError) as caught:
        alone(runs, "vote", "refuse")
    count = runs.num_workers
    assert str(caught.value) == (
        f'engine.momenta: "refuse" is not allowed here: the checkpoint has the momenta of {count} processes, and there '
        f'are 1; start {count}, or go on with "average", their mean, or "restart", zeros'
    )


def test_one_process_that_agrees_is_lion(tmp_path: Path) -> None:
    recipe = written(tmp_path)
    short = ["training.steps=8", "logging.every=4", "optimizer.momentum_dtype=bfloat16"]
    for agreement in ("none", "vote", "mean"):
        train(load(recipe, [*short, f"engine.agreement={agreement}"]), tmp_path / agreement)
    for agreement in ("vote", "mean"):
        found = {name.removeprefix("worker 0/"): it for name, it in weights(tmp_path / agreement).items()}
        assert records(tmp_path / agreement) == records(tmp_path / "none")
        assert all(found.pop(name).equal(value) for name, value in weights(tmp_path / "none").items())
        assert not found
