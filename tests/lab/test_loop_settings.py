"""What a recipe may ask of the loop: precision, micro-batches, kept weights, statistics, trackers."""

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from lionkit_lab import checkpoint, tasks
from lionkit_lab.engine import Engine
from lionkit_lab.errors import DivergenceError, UsageError
from lionkit_lab.recipe import load
from lionkit_lab.record import Run, read_run
from lionkit_lab.state import TrainingState
from lionkit_lab.train import train


def trained(tiny: Path, folder: Path, *overrides: str) -> Run:
    train(load(tiny, overrides), folder)
    return read_run(folder)


@pytest.mark.parametrize("precision", ["float64", "bfloat16", "float16"])
def test_a_precision_trains_and_stays_near_float32(tiny: Path, tmp_path: Path, precision: str) -> None:
    plain = trained(tiny, tmp_path / "plain", "model.dropout=0")
    run = trained(tiny, tmp_path / "run", "model.dropout=0", f"engine.precision={precision}")
    gaps = [abs(a["loss"] - b["loss"]) for a, b in zip(plain.steps, run.steps, strict=True)]
    assert 0 < max(gaps) < (1e-4 if precision == "float64" else 0.1)
    saved = checkpoint.load(tmp_path / "run")
    assert saved is not None
    dtypes = {weight.dtype for weight in saved.weights().values()}
    assert dtypes == {torch.float64 if precision == "float64" else torch.float32}


def test_the_model_is_computed_in_the_precision(tiny: Path) -> None:
    seen: list[torch.dtype] = []
    for precision in ("float64", "bfloat16", "float16"):
        recipe = load(tiny, [f"engine.precision={precision}"])
        task, engine = tasks.build(recipe), Engine(recipe.engine)
        engine.feed(task)
        state = TrainingState(recipe, task, engine)
        state.model.get_submodule("classifier").register_forward_hook(lambda _, __, out: seen.append(out.dtype))
        state.update()
    assert seen == [torch.float64, torch.bfloat16, torch.float16]


def test_an_overflow_of_float16_is_a_step_not_taken_and_half_the_scale(tiny: Path) -> None:
    recipe = load(tiny, ["engine.precision=float16"])
    state = TrainingState(recipe, tasks.build(recipe))
    scale = state.engine.precision.state_dict()["scale"]
    state.engine.precision.load_state_dict(state.engine.precision.state_dict() | {"scale": 2.0**60})
    before = {name: weight.clone() for name, weight in state.model.state_dict().items()}
    assert math.isfinite(state.update())
    assert all(torch.equal(before[name], weight) for name, weight in state.model.state_dict().items())
    assert state.engine.precision.state_dict()["scale"] == 2.0**59
    assert scale > 1
    assert state.step == 1


def test_a_logging_epoch_of_float16_is_measured_in_float32(tiny: Path, tmp_path: Path) -> None:
    plain, half = (trained(tiny, tmp_path / name, f"engine.precision={name}") for name in ("float32", "float16"))
    assert half.logs[0] == plain.logs[0]  # of the same weights
    assert half.steps[0]["loss"] != plain.steps[0]["loss"]


class _BadGradients(Engine):
    """An engine of which every gradient is nan, and every loss finite."""

    def place(self, model: nn.Module) -> nn.Module:
        def spoil(param: torch.Tensor) -> None:
            assert param.grad is not None
            param.grad.fill_(math.nan)

        model = super().place(model)
        for param in model.parameters():
            param.register_post_accumulate_grad_hook(spoil)
        return model


@pytest.mark.parametrize(("action", "skips"), [("stop", 0), ("skip", 3)])
def test_gradients_of_float16_that_stay_nan_end_the_run(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str, skips: int
) -> None:
    monkeypatch.setattr("lionkit_lab.train._train.Engine", _BadGradients)
    watch = f"watch={{non_finite={{action='{action}'}}, skips=3}}"
    with pytest.raises(DivergenceError, match=f"l2 norm of the gradient is nan at step {32 + skips}"):
        train(load(tiny, ["engine.precision=float16", "training.steps=60", watch]), tmp_path / "run")
    assert read_run(tmp_path / "run").status == "diverged"  # after 31 steps from a scale of 2^16 to one of 2^-15


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["engine.precision=float8"], "engine.precision: \"float8\" is not allowed: must be 'float32', 'float64', 'bf"),
        (["engine.accumulate=0"], "engine.accumulate: 0 is not allowed: must be greater than or equal to 1"),
        (["engine.accumulate=11"], "engine.accumulate 11 is not allowed: must be at most training.batch_size, 10"),
        (
            ["engine={precision='float16', sharding='fsdp2'}"],
            'engine: precision "float16" is not allowed with shard',
        ),
        (
            ["engine.precision=float16", "optimizer={name='lion_vr', lr=1e-3}"],
            'engine.precision "float16" is not allowed with optimizer "lion_vr": it takes two gradients a step',
        ),
        (["engine.shardin=none"], 'engine.shardin: unknown key (did you mean "sharding"?); known: precision, acc'),
        (
            ["training.keep=all"],
            "training.keep: 'all' is not allowed: must be 'last' or a list of steps, each",
        ),
        (["training.keep=[0]"], "training.keep: [0] is not allowed: must be 'last' or a list of steps, each"),
        (["logging.statistics_every=0"], "logging.statistics_every: 0 is not allowed: must be greater than or equal"),
    ],
)
def test_settings_that_are_refused(tiny: Path, overrides: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(tiny, overrides)
    assert f"tiny.toml: {message}" in str(caught.value)


def test_shards_need_processes(tiny: Path, tmp_path: Path) -> None:
    message = r'engine.sharding: "fsdp2" needs processes to share the weights: start them by `torchrun'
    with pytest.raises(UsageError, match=message):
        train(load(tiny, ["engine.sharding=fsdp2"]), tmp_path / "run")


def test_what_changes_no_number_is_not_in_the_hash(tiny: Path) -> None:
    plain, tracked = load(tiny), load(tiny, ["tracking={trackers=['wandb'], project='mine'}"])
    assert plain.sha256() == tracked.sha256() == load(tiny, ["engine.accumulate=1"]).sha256()
    assert "tracking" not in tracked.as_run()
    assert plain.sha256() != load(tiny, ["engine.accumulate=2"]).sha256()


def test_chosen_weights_stay(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    trained(tiny, folder, "training.keep=[5, 6, 12]")
    kept = {path.name: load_file(path) for path in (folder / "kept").iterdir()}
    assert sorted(kept) == ["step-000005.safetensors", "step-000006.safetensors", "step-000012.safetensors"]
    last = checkpoint.load(folder)
    assert last is not None
    for name, weight in last.weights().items():
        assert torch.equal(weight, kept["step-000012.safetensors"][name])
        assert weight.dim() == 0 or not torch.equal(weight, kept["step-000005.safetensors"][name])
    model = tasks.build(load(tiny)).model()
    model.load_state_dict(kept["step-000005.safetensors"])  # with every name, and no other


def test_tied_weights_are_kept_once_and_load(tiny: Path, tmp_path: Path) -> None:
    text = ["task={name='characters', context=8}", "model={name='gpt2', width=16, layers=1, heads=2}"]
    trained(tiny, tmp_path / "run", *text)
    saved = checkpoint.load(tmp_path / "run")
    assert saved is not None
    model = tasks.build(load(tiny, text)).model()
    left_out = model.load_state_dict(saved.weights(), strict=False)
    assert left_out.missing_keys == ["lm_head.weight"]  # it is the embedding
    assert not left_out.unexpected_keys


@pytest.mark.parametrize("optimizer", ["lion", "muon"])
def test_statistics_are_those_of_every_so_many_th_step(tiny: Path, tmp_path: Path, optimizer: str) -> None:
    setting = [] if optimizer == "lion" else ["optimizer={name='muon', lr=3e-3, weight_decay=0.3}"]
    watched = trained(tiny, tmp_path / "run", *setting, "logging.statistics_every=5")
    plain = trained(tiny, tmp_path / "plain", *setting)
    assert [record["step"] for record in watched.statistics] == [5, 10]
    assert watched.steps == plain.steps  # watching changes nothing
    assert watched.logs == plain.logs
    for record in watched.statistics:
        assert record["kkt_residual"] > 0
        assert record["grad_l2"] <= record["grad_l1"] <= math.sqrt(watched.task["num_parameters"]) * record["grad_l2"]
        assert 0 < record["agreement_share"] < 1


def test_other_peoples_optimizers_have_no_statistics(tiny: Path, tmp_path: Path) -> None:
    run = trained(tiny, tmp_path / "run", "optimizer={name='adamw', lr=1e-3}", "logging.statistics_every=5")
    assert run.statistics == []
    assert len(run.steps) == 12


def test_a_tracker_hears_what_is_recorded(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from accelerate import tracking

    heard: list[tuple[int, dict[str, float]]] = []

    class Fake(tracking.GeneralTracker):
        name = "fake"
        requires_logging_directory = True

        def __init__(self, run_name: str, logging_dir: Path) -> None:
            super().__init__()
            heard.append((-1, {run_name: 0}))
            assert logging_dir == tmp_path / "run" / "trackers"

        tracker = None

        def store_init_configuration(self, values: dict) -> None:
            assert values["optimizer.betas"] == "[0.8, 0.95]"

        def log(self, values: dict, step: int) -> None:
            heard.append((step, values))

        def finish(self) -> None:
            heard.append((99, {}))

    monkeypatch.setitem(tracking.LOGGER_TYPE_TO_CLASS, "fake", Fake)
    monkeypatch.setattr(tracking, "_available_trackers", ["fake"])
    run = trained(tiny, tmp_path / "run", "tracking={trackers=['fake'], project='lions'}")
    assert heard[0] == (-1, {"lions": 0})
    assert heard[-1] == (99, {})
    losses = [values["step/loss"] for step, values in heard if "step/loss" in values]
    assert losses == [record["loss"] for record in run.steps]
    ratios = [values["log/ratio"] for step, values in heard if "log/ratio" in values]
    assert ratios == [record["ratio"] for record in run.logs]


def test_a_tracker_that_cannot_be_is_named_before_any_training(tiny: Path, tmp_path: Path) -> None:
    for name, message in (
        ("tensorbord", r'tracking.trackers: "tensorbord" is not known \(did you mean "tensorboard"\?\); known: aim, '),
        ("wandb", r'tracking.trackers: "wandb" needs a package that is missing: pip install wandb'),
    ):
        with pytest.raises(UsageError, match=message):
            train(load(tiny, [f"tracking.trackers=['{name}']"]), tmp_path / "run")
        assert not (tmp_path / "run").exists()
