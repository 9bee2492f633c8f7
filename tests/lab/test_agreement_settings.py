"""What a recipe may say of processes that agree, and the line that refuses the rest."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from agreeing import VOTE
from test_agreement import written
from typer.testing import CliRunner

from lionkit_lab.checkpoint import Saved
from lionkit_lab.cli import app
from lionkit_lab.dry_run import dry_run
from lionkit_lab.engine import check_agreement
from lionkit_lab.errors import UsageError
from lionkit_lab.recipe import load
from lionkit_lab.state import TrainingState, resized_from
from lionkit_lab.train import train


def test_the_momenta_may_change_and_the_agreement_not(tmp_path: Path) -> None:
    recipe, short = written(tmp_path), ["training.steps=4", "logging.every=4"]
    train(load(recipe, [*short, VOTE]), tmp_path / "run")
    train(load(recipe, [*short, VOTE, "engine.momenta=average"]), tmp_path / "run")
    with pytest.raises(UsageError, match=r"holds a run of another recipe"):
        train(load(recipe, short), tmp_path / "run")


VOTING = {"lion", "sign_sgd", "signum", "tiger"}
OTHERS = ["rlion", "clion", "cautious_lion", "mars_lion", "lion_vr", "lion_igt", "sto_sign_sgd", "mlorc_lion", "muon"]


@pytest.mark.parametrize("name", [*VOTING, *OTHERS, "adamw", "sgd"])
def test_an_optimizer_without_votes_is_refused(tmp_path: Path, name: str) -> None:
    recipe = load(written(tmp_path), ["engine.agreement=mean", f"optimizer={{name='{name}', lr=1e-3}}"])
    if name in VOTING:
        check_agreement(recipe)
        return
    with pytest.raises(UsageError) as caught:
        train(recipe, tmp_path / "run")
    assert str(caught.value).startswith(f'engine.agreement: "mean" is not allowed here: optimizer {name}: Invalid ')
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("kappa", "votes"), [("truncated_l1", True), ("huber", False), ("entropy", False)])
def test_a_kappa_without_a_code_is_refused(tmp_path: Path, kappa: str, votes: bool) -> None:
    optimizer = f"optimizer={{name='lion_k', lr=1e-3, kappa={{name='{kappa}', e=0.1}}}}"
    recipe = load(written(tmp_path), [VOTE, optimizer])
    if votes:
        check_agreement(recipe)
        return
    with pytest.raises(UsageError, match="its direction has no code, it must be L1 or TruncatedL1"):
        check_agreement(recipe)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "training.clip=2",
            'training.clip: 2.0 is not allowed with {}: what was agreed on is no gradient to clip; must be "none"',
        ),
        (
            "logging.statistics_every=5",
            "logging.statistics_every: 5 is not allowed with {}: what was agreed on is no gradient to measure",
        ),
        (
            "watch.gradient_spike.action=rollback",
            'watch.gradient_spike.action: "rollback" is not allowed with {}: '
            'what was agreed on is no gradient; must be "off"',
        ),
        *(
            (
                f"watch.{name}.action=skip",
                f'watch.{name}.action: "skip" is not allowed with {{}}: '
                'a step left out has moved the momenta; take "rollback" or "stop"',
            )
            for name in ("non_finite", "loss_spike")
        ),
    ],
)
def test_what_needs_gradients_is_refused(tmp_path: Path, setting: str, message: str) -> None:
    recipe = written(tmp_path)
    load(recipe, [setting])
    with pytest.raises(UsageError) as caught:
        load(recipe, [setting, "engine.agreement=mean"])
    assert str(caught.value) == "recipe.toml: " + message.format('engine.agreement "mean"')


def test_momenta_decide_no_run(tmp_path: Path) -> None:
    recipe = written(tmp_path)
    plain, voting = load(recipe).sha256(), load(recipe, [VOTE]).sha256()
    assert plain != voting != load(recipe, ["engine.agreement=mean"]).sha256()
    with pytest.raises(UsageError, match=r'momenta "average" is not allowed with agreement "none"'):
        load(recipe, ["engine.momenta=average"])
    told = load(recipe, [VOTE, "engine.momenta=restart"])
    assert told.sha256() == voting
    assert told.as_run() == load(recipe, [VOTE]).as_run()


def test_a_dry_run_says_what_a_step_sends(tmp_path: Path) -> None:
    path = written(tmp_path)
    recipe = load(path, [VOTE])
    assert [dry_run(recipe, count).wire_bits for count in (1, 3)] == [None, 2]
    assert dry_run(load(path, ["engine.agreement=mean"]), 4).wire_bits == pytest.approx(1 + 8 / 3)
    assert dry_run(load(path), 4).wire_bits is None
    found = dry_run(recipe, 4)
    assert found.memory is not None
    assert found.checkpoint == found.memory.weights + 4 * found.memory.optimizer
    said = CliRunner().invoke(app, ["train", str(path), "--set", VOTE, "--dry-run", "--processes", "4"]).output
    assert "sent in a step" in said
    assert "2.6 bits a parameter" in said
    with pytest.raises(UsageError, match=r'agreement: "vote" is not allowed here: optimizer sgd'):
        dry_run(load(path, [VOTE, "optimizer={name='sgd', lr=1}"]))


@pytest.mark.parametrize(
    ("rest", "step", "workers", "before"),
    [({}, 7, None, None), ({"workers": 4}, 7, 4, None), ({"workers": 4}, 7, 2, 4), ({"workers": 4}, 0, 2, None)],
)
def test_a_checkpoint_tells_who_had_momenta(
    rest: dict[str, int], step: int, workers: int | None, before: int | None
) -> None:
    """One of before there was an agreement tells nothing, and is gone on from."""
    state, saved = SimpleNamespace(engine=SimpleNamespace(workers=workers)), SimpleNamespace(rest=rest, step=step)
    assert resized_from(cast("TrainingState", state), cast("Saved", saved)) == before
