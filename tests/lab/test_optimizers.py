"""Every optimizer that a recipe can name: built as it is told, trained, and taken up after a kill."""

import inspect
from pathlib import Path
from typing import get_args

import pytest
import torch

import lionkit
from lionkit_lab import checkpoint, optimizers, tasks
from lionkit_lab.errors import UsageError
from lionkit_lab.recipe import OptimizerSettings, load
from lionkit_lab.record import read_run
from lionkit_lab.state import TrainingState
from lionkit_lab.train import train

SETTINGS = {get_args(it.model_fields["name"].annotation)[0]: it for it in get_args(get_args(OptimizerSettings)[0])}
OWN = {"name", "kappa", "fallback_lr_ratio"}  # of a recipe, and no argument of an optimizer
KAPPAS = {
    "l1": lionkit.kappa.L1(),
    "half_squared_l2": lionkit.kappa.HalfSquaredL2(),
    "lp": lionkit.kappa.Lp(3.0),
    "linf": lionkit.kappa.LInf(),
    "top_k": lionkit.kappa.TopK(2),
    "group_l2": lionkit.kappa.GroupL2(),
    "huber": lionkit.kappa.Huber(0.3),
    "truncated_l1": lionkit.kappa.TruncatedL1(0.3),
    "relativistic": lionkit.kappa.Relativistic(0.3),
    "entropy": lionkit.kappa.Entropy(0.3),
    "arctan": lionkit.kappa.Arctan(0.3),
}
PARAMETERS = {"lp": ", p=3", "top_k": ", k=2"} | dict.fromkeys(
    ["huber", "truncated_l1", "relativistic", "entropy", "arctan"], ", e=0.3"
)
KAPPA_OF_A_STEP = ", kappa={name='huber', e=0.01}"


def settings_of(name: str, more: str = "") -> list[str]:
    more += KAPPA_OF_A_STEP if name == "lion_k" else ""
    return [f"optimizer={{name='{name}', lr=2e-3, weight_decay=0.25{more}}}"]


def optimizer_class(name: str) -> type:
    classes = {
        cls.__name__.lower(): cls
        for module in (torch.optim, lionkit)
        for cls in vars(module).values()
        if inspect.isclass(cls)
    }
    return classes[name.replace("_", "")]


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_are_the_optimizers_own_with_their_defaults(name: str) -> None:
    arguments = inspect.signature(optimizer_class(name)).parameters
    shared = inspect.signature(lionkit.Lion).parameters
    for key, field in SETTINGS[name].model_fields.items():
        if key in OWN:
            continue
        argument = arguments.get(key) or shared[key]
        if key not in ("lr", "weight_decay"):  # must be given; and the paper's decay
            assert field.default == argument.default, key


@pytest.mark.parametrize("name", SETTINGS)
def test_optimizers_get_their_settings(tiny: Path, name: str) -> None:
    recipe = load(tiny, settings_of(name))
    built = optimizers.optimizer(recipe.optimizer, torch.nn.Linear(4, 4), seed=7)
    groups = built.param_groups
    assert [group["weight_decay"] for group in groups] == [0.25] * len(groups)
    assert groups[0]["lr"] == 2e-3
    if isinstance(built, lionkit.LionK):
        assert {group["seed"] for group in groups} == {7}
    else:
        assert type(built).__name__.lower() == name


@pytest.mark.parametrize("name", KAPPAS)
def test_lion_k_gets_its_kappa(tiny: Path, name: str) -> None:
    setting = f"optimizer={{name='lion_k', lr=1e-3, kappa={{name='{name}'{PARAMETERS.get(name, '')}}}}}"
    built = optimizers.optimizer(load(tiny, [setting]).optimizer, torch.nn.Linear(2, 2))
    assert built.param_groups[0]["kappa"] == KAPPAS[name]


def test_muon_steps_matrices_and_lion_the_rest(tiny: Path) -> None:
    recipe = load(tiny, ["optimizer={name='muon', lr=0.5, fallback_lr_ratio=0.1, momentum=0.8}"])
    task = tasks.build(recipe)
    matrices, rest = optimizers.optimizer(recipe.optimizer, task.model()).param_groups
    assert isinstance(matrices["kappa"], lionkit.kappa.Spectral)
    assert all(param.ndim == 2 for param in matrices["params"])
    assert (matrices["lr"], matrices["betas"], rest["lr"], rest["kappa"]) == (
        0.5,
        (0.8**2, 0.8),
        0.05,
        lionkit.kappa.L1(),
    )


def test_a_rank_that_no_matrix_has_is_refused(tiny: Path) -> None:
    recipe = load(tiny, ["optimizer={name='mlorc_lion', lr=1e-3, rank=50}"])
    with pytest.raises(UsageError, match=r"^optimizer mlorc_lion: Invalid momentum_rank: 50 for a parameter of shape"):
        TrainingState(recipe, tasks.build(recipe))


@pytest.mark.parametrize("name", SETTINGS)
def test_every_optimizer_trains_and_resumes_to_the_bit(tiny: Path, tmp_path: Path, name: str) -> None:
    overrides = settings_of(name) if name != "mlorc_lion" else settings_of(name, ", rank=2")
    recipe = load(tiny, overrides)
    train(recipe, tmp_path / "whole")
    interrupted = tmp_path / "interrupted"
    with pytest.raises(KeyboardInterrupt):
        train(recipe, interrupted, StopsAt(8))
    train(recipe, interrupted)
    whole, resumed = (saved_in(folder) for folder in (tmp_path / "whole", interrupted))
    for key, tensor in whole.items():
        assert torch.equal(tensor, resumed[key]), key
    assert (tmp_path / "whole/records.jsonl").read_bytes() == (interrupted / "records.jsonl").read_bytes()
    run = read_run(interrupted)
    assert run.logs[-1]["train_loss"] < run.logs[0]["train_loss"]
    kept = sum(tensor.nbytes for name, tensor in whole.items() if "/" in name)  # the optimizer's: parameter/name
    assert run.state_bytes == TrainingState(recipe, tasks.build(recipe)).state_bytes + kept


def saved_in(folder: Path) -> dict[str, torch.Tensor]:
    saved = checkpoint.load(folder)
    assert saved is not None
    kept = saved.tensors(lambda _, shape, dtype: torch.zeros(shape, dtype=dtype), is_sharded=False)
    return saved.weights() | kept


class StopsAt:
    """Interrupts a run."""

    def __init__(self, step: int) -> None:
        self._step = step

    def begin(self, done: int, total: int) -> None:
        pass

    def step(self, done: int, loss: float) -> None:
        if done == self._step:
            raise KeyboardInterrupt

    def note(self, message: str) -> None:
        pass


def test_time_and_state_of_a_run(tiny: Path, tmp_path: Path) -> None:
    train(load(tiny, ["optimizer={name='lion', lr=1e-3, momentum_dtype='bfloat16'}"]), tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert run.state_bytes == 2 * run.task["num_parameters"]
    assert sum(lap.get("steps", 0) for lap in run.timing) == 12
    assert 0 < run.optimizer_ms < run.step_ms < 1e3 * run.seconds / 12  # pyright: ignore[reportOperatorIssue]


def test_weights_are_measured_where_the_optimizer_answers(tiny: Path, tmp_path: Path) -> None:
    """LionIGT trains ahead of its weights; its records are those of the weights."""
    recipe = load(tiny, settings_of("lion_igt"))
    train(recipe, tmp_path / "run")
    task = tasks.build(recipe)
    state = TrainingState(recipe, task)
    for _ in range(12):
        state.update()
    ahead = state.model.eval()
    found = task.evaluate(ahead)["test_loss"]
    with state.weights_to_evaluate():
        expected = task.evaluate(ahead)["test_loss"]
    assert read_run(tmp_path / "run").logs[-1]["test_loss"] == expected != found
