"""Recipes: what is accepted, and the line that refuses the rest."""

import json
from collections import Counter
from pathlib import Path

import pytest

from lionkit_lab.errors import UsageError
from lionkit_lab.recipe import Recipe, bundled, load

OPTIMIZERS = (
    "lion, lion_k, sign_sgd, signum, tiger, rlion, clion, cautious_lion, mars_lion, lion_vr, lion_igt, sto_sign_sgd, "
    "mlorc_lion, muon, adamw, sgd"
)
KAPPAS = "l1, half_squared_l2, lp, linf, top_k, group_l2, huber, truncated_l1, relativistic, entropy, arctan"
REFUSED = {
    "optimizer.lr=-1": "optimizer.lr: -1 is not allowed: must be greater than or equal to 0",
    "optimizer.lr=nan": "optimizer.lr: nan is not allowed: must be a finite number",
    "optimizer.lr=abc": (
        'optimizer.lr: "abc" is not allowed: must be a valid number, unable to parse string as a number'
    ),
    "optimizer.weight_decy=1": (
        'optimizer.weight_decy: unknown key (did you mean "weight_decay"?); '
        "known: lr, weight_decay, weight_decay_mode, momentum_dtype, betas, name, momentum_init"
    ),
    "optimizer.name=sgd": "optimizer.betas: unknown key; known: lr, weight_decay, name, momentum",
    "optimizer.name=lyon": f'optimizer.name: "lyon" is not known (did you mean "lion"?); known: {OPTIMIZERS}',
    "optimizer.kappa={name='huber', e=0.1}": (
        "optimizer.kappa: unknown key; "
        "known: lr, weight_decay, weight_decay_mode, momentum_dtype, betas, name, momentum_init"
    ),
    "optimizer={name='lion_k', lr=1, kappa={name='huber', e=0}}": (
        "optimizer.kappa.e: 0 is not allowed: must be greater than 0"
    ),
    "optimizer={name='lion_k', lr=1, kappa={name='hubert', e=0}}": (
        f'optimizer.kappa.name: "hubert" is not known (did you mean "huber"?); known: {KAPPAS}'
    ),
    "optimizer={name='lion_k', lr=1, kappa={name='entropy', nu=0}}": ("optimizer.kappa.e: is missing (and 1 more)"),
    "optimizer={name='muon', lr=1, fallback_lr_ratio=0}": (
        "optimizer.fallback_lr_ratio: 0 is not allowed: must be greater than 0"
    ),
    "optimizer.betas=[0.9,1.5]": "optimizer.betas.1: 1.5 is not allowed: must be less than 1",
    "optimizer=3": ("optimizer: 3 is not allowed: must be a valid dictionary or object to extract fields from"),
    "model.name=rasnet": (
        'model.name: "rasnet" is not known (did you mean "resnet"?); known: resnet, vit, gpt2, bert, mlp'
    ),
    "model={name='gpt2'}": 'model.name: "gpt2" does not fit task "images": must be resnet or vit or mlp',
    "model.width=7": "model: width 7 is not allowed: must be a multiple of heads (2)",
    "task.name=image": (
        'task.name: "image" is not known (did you mean "images"?); known: images, characters, language, masked-language'
    ),
    "task.context=3": "task.context: unknown key; known: name, data, augment, side, scale_to, classes, outputs",
    "schedule.name=cosin": ('schedule.name: "cosin" is not known (did you mean "cosine"?); known: cosine, constant'),
    "training.epochs=2": "training: exactly one of epochs and steps must be given",
    "training.batchsize=2": (
        'training.batchsize: unknown key (did you mean "batch_size"?); '
        "known: epochs, steps, batch_size, clip, checkpoint_every, keep"
    ),
    "engine.agreement=votes": "engine.agreement: \"votes\" is not allowed: must be 'none', 'vote' or 'mean'",
    "engine={agreement='vote', precision='float16'}": (
        'engine: precision "float16" is not allowed with agreement "vote": its gradients are scaled; take "bfloat16"'
    ),
    "engine={agreement='mean', sharding='fsdp2'}": (
        'engine: sharding "fsdp2" is not allowed with agreement "mean": each process votes on whole weights; '
        'take "none"'
    ),
    "engine={agreement='mean'}": (
        'training.clip: 1.0 is not allowed with engine.agreement "mean": what was agreed on is no gradient to clip; '
        'must be "none"'
    ),
    "engine.momenta=zeros": "engine.momenta: \"zeros\" is not allowed: must be 'refuse', 'average' or 'restart'",
    "logging.every=0": "logging.every: 0 is not allowed: must be 'epoch' or an integer of at least 1",
    "logging.batches=some": ("logging.batches: 'some' is not allowed: must be 'all' or an integer of at least 1"),
    "seed=-1": "seed: -1 is not allowed: must be greater than or equal to 0",
    "sed=1": (
        'sed: unknown key (did you mean "seed"?); '
        "known: name, title, seed, task, model, optimizer, start, schedule, training, logging, engine, tracking, "
        "watch, compare"
    ),
    "name=a/b": "name: \"a/b\" is not allowed: string should match pattern '^[\\w.-]+$'",
    "compare=3": "compare: must be a list of tables, [[compare]]",
    "compare=[{name='sgd',lrs=[1,-2]}]": ("compare.sgd.lr: -2 is not allowed: must be greater than or equal to 0"),
    "compare=[{name='sgd',lrs=3}]": "compare: lrs = 3 is not allowed: must be a list of learning rates",
    "compare=[{name='sgd',lrs=[1,2]},{name='sgd',lr=2,weight_decay=0.1}]": (
        "compare: sgd with lr = 2, weight_decay = 0.1, momentum = 0 stands 2 times: each entry must differ"
    ),
    "logging.weight_decay=-1": "logging.weight_decay: -1 is not allowed: must be greater than or equal to 0",
    "compare=[{name='sgd'}]": "compare.sgd.lr: is missing",
    "compare=[{name='sdg',lr=1}]": f'compare.name: "sdg" is not known (did you mean "sgd"?); known: {OPTIMIZERS}',
}


@pytest.mark.parametrize("override", REFUSED)
def test_a_bad_value_is_refused_in_one_line(tiny: Path, override: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(tiny, [override])
    assert str(caught.value) == f"tiny.toml: {REFUSED[override]}"


@pytest.mark.parametrize("override", ["optimizer.lr", "=3", "a..b=1", "[x]=1"])
def test_an_override_that_is_none_is_refused(tiny: Path, override: str) -> None:
    with pytest.raises(UsageError, match=r"^--set .* is not allowed: must be section.key=value$"):
        load(tiny, [override])


def test_an_override_below_a_value_is_refused(tiny: Path) -> None:
    with pytest.raises(UsageError, match='"name" is not a section'):
        load(tiny, ["name.x=1"])


def test_several_errors_still_make_one_line(tiny: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(tiny, ["seed=-1", "optimizer.lr=-1"])
    assert str(caught.value).endswith("greater than or equal to 0 (and 1 more)")
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('name = "r"')
    with pytest.raises(UsageError, match=r"^r.toml: task: is missing \(and 3 more\)$"):
        load(path)


def test_overrides_are_toml_values_in_order(tiny: Path) -> None:
    recipe = load(tiny, ["optimizer.lr=1", "optimizer.lr=2e-3", "optimizer.betas=[0.5, 0.6]", "title=plain words"])
    assert (recipe.optimizer.lr, recipe.title) == (2e-3, "plain words")
    assert recipe.optimizer.model_dump()["betas"] == (0.5, 0.6)


def test_clipping_can_be_taken_back(tiny: Path) -> None:
    without = load(tiny, ["training.clip=none"])
    assert load(tiny).training.clip == 1.0
    assert without.training.clip is None
    tiny.write_text(tiny.read_text().replace("clip = 1.0", ""))
    assert load(tiny).sha256() == without.sha256()


def test_an_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        load("fashon-mnist")
    expected = f'recipe "fashon-mnist" is not known (did you mean "fashion-mnist"?); bundled: {", ".join(bundled())}'
    assert str(caught.value) == expected


def test_a_file_that_is_not_there_or_not_toml(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load(tmp_path / "no.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("name == 1")
    with pytest.raises(UsageError, match=r"is not TOML: .*line 1, column 7"):
        load(broken)


def test_a_grid_becomes_one_variant_a_learning_rate(tiny: Path) -> None:
    variants = load(tiny).variants()
    tried = {name: (variant.optimizer.name, variant.optimizer.lr) for name, variant in variants.items()}
    assert tried == {"sgd-lr0.01": ("sgd", 0.01), "sgd-lr1e+30": ("sgd", 1e30), "lion-lr0.001": ("lion", 1e-3)}
    assert all(not variant.compare for variant in variants.values())


def test_runs_that_differ_bear_names_that_differ(tiny: Path) -> None:
    alike = (
        "{name='sgd', lr=0.01, weight_decay=0.1}, {name='sgd', lr=0.01, weight_decay=0.0}, {name='sgd', lr=0.03}, "
        "{name='lion', lr=0.01}, {name='lion', lr=0.01, betas=[0.95, 0.98]}, {name='lion', lr=0.010000001}"
    )
    assert list(load(tiny, [f"compare=[{alike}]"]).variants()) == [
        "sgd-lr0.01-weight_decay0.1",
        "sgd-lr0.01-weight_decay0",
        "sgd-lr0.03",
        "lion-lr0.01-betas0.9-0.99",
        "lion-lr0.01-betas0.95-0.98",
        "lion-lr0.010000001",
    ]


def test_the_hash_says_what_makes_a_run(tiny: Path) -> None:
    base = load(tiny)
    assert base.sha256() == load(tiny, ["compare=[]"]).sha256()
    assert base.sha256() == load(tiny, ["title=other words"]).sha256()
    assert base.sha256() != load(tiny, ["seed=4"]).sha256()


def test_the_residual_is_measured_at_the_optimizers_decay_or_at_the_one_that_is_given(tiny: Path) -> None:
    assert load(tiny).residual_weight_decay == 0.3
    assert load(tiny, ["logging.weight_decay=0"]).residual_weight_decay == 0


def test_a_manifest_holds_a_recipe_that_loads_but_no_folder(tiny: Path) -> None:
    recipe = load(tiny, ["task.data=/home/someone/mnist"])
    assert "someone" not in json.dumps(recipe.as_run())
    assert Recipe.model_validate(load(tiny).as_run()).sha256() == load(tiny).sha256()


@pytest.mark.parametrize("name", ["fashion-mnist", "moby-dick"])
def test_bundled_recipes_try_three_learning_rates_for_each_optimizer_and_decay(name: str) -> None:
    recipe = load(name)
    tried = Counter((entry.name, entry.weight_decay) for entry in recipe.compare)
    assert name in bundled()
    assert tried == {("sgd", 0.1): 3, ("sgd", 0.0): 3, ("adamw", 0.1): 3, ("lion", 0.1): 3}
    assert {variant.residual_weight_decay for variant in recipe.variants().values()} == {0.1}


def test_every_field_is_documented() -> None:
    undocumented, sections = [], [Recipe]
    while sections:
        section = sections.pop()
        for name, field in section.model_fields.items():
            undocumented += [] if field.description else [f"{section.__name__}.{name}"]
            members = getattr(field.annotation, "__args__", (field.annotation,))
            sections += [member for member in members if hasattr(member, "model_fields")]
    assert not undocumented


def test_a_comparison_takes_the_place_of_the_recipes_own(tiny: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[[compare]]\nname = 'signum'\nlrs = [1e-3, 1e-2]\n")
    assert [(entry.name, entry.lr) for entry in load(tiny, compare=mine).compare] == [
        ("signum", 1e-3),
        ("signum", 1e-2),
    ]
    assert len(load(tiny, compare="members").arms()) == 19
    assert {len(arm) for arm in load(tiny, compare="members").arms().values()} == {6}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("seed = 3", "comparison mine.toml: seed: unknown key; known: compare"),
        ("[[compare]]\nname = 'sgd'", "tiny.toml: compare.sgd.lr: is missing"),
    ],
)
def test_a_bad_comparison_is_refused(tiny: Path, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "mine.toml").write_text(content)
    with pytest.raises(UsageError) as caught:
        load(tiny, compare=tmp_path / "mine.toml")
    assert str(caught.value) == message


def test_an_unknown_comparison_is_refused(tiny: Path) -> None:
    with pytest.raises(
        UsageError, match=r'^comparison "member" is not known \(did you mean "members"\?\); bundled: members$'
    ):
        load(tiny, compare="member")
