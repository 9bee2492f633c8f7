"""Early warnings: each watcher on made series, and what a run does about them."""

import json
import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lionkit_lab.errors import UsageError
from lionkit_lab.recipe import Recipe, load
from lionkit_lab.watch import Watch

OFF = ["non_finite", "loss_spike", "gradient_spike", "loss", "train_loss", "kkt_residual", "saturation"]


def only(name: str, action: str = "warn", *settings: str) -> Recipe:
    """A recipe in which one watcher is on; non-finite values are always watched."""
    off = [f"watch.{other}.action=off" for other in OFF if other not in ("non_finite", name)]
    return load("fashion-mnist", [*off, f"watch.{name}.action={action}", *(f"watch.{it}" for it in settings)])


def steps(losses, key="loss", start=1):
    for step, value in enumerate(losses, start=start):
        yield {"kind": "step", "step": step, "lr": 0.7e-3, "loss": 1.5} | {key: value}


def logs(values, key, lr=0.7e-3):
    for step, value in enumerate(values):
        yield {"kind": "log", "step": 10 * step, "lr": lr, key: value}


def alarms(watch, records):
    """Return step, name and action of every alarm."""
    return [(record["step"], it.name, it.action) for record in records for it in watch.hear(record)]


def noisy(num, level=2.0, spread=0.1, seed=5):
    rng = random.Random(seed)
    return [rng.gauss(level, spread) for _ in range(num)]


def test_a_spike_is_found_where_it_is_and_nowhere_else() -> None:
    watch = Watch(only("loss_spike", "skip", "loss_spike.window=20", "loss_spike.spreads=6"))
    losses = noisy(90)
    losses[60] = 4.0
    losses[5] = 9.0  # before the window is full
    assert alarms(watch, steps(losses)) == [(61, "loss_spike", "skip")]


@pytest.mark.parametrize("excess", [-1e-6, 1e-6])
def test_a_spike_begins_at_the_median_and_so_many_median_deviations(excess: float) -> None:
    watch = Watch(only("loss_spike", "skip", "loss_spike.window=20", "loss_spike.spreads=2.5"))
    losses = noisy(20, seed=9)
    middle = statistics.median(losses)
    deviation = statistics.median(abs(loss - middle) for loss in losses)
    bound = middle + 2.5 * 1.4826 * deviation
    (*_, last) = [watch.hear(record) for record in steps([*losses, bound + excess])]
    assert [alarm.action for alarm in last] == (["skip"] if excess > 0 else [])
    for alarm in last:
        assert alarm.finding.limit == pytest.approx(bound)
        assert alarm.finding.value == bound + excess


def test_outliers_in_the_window_hide_no_spike() -> None:
    watch = Watch(only("loss_spike", "skip", "loss_spike.window=20", "loss_spike.spreads=6"))
    losses = noisy(40)
    for at in (30, 32, 34, 36, 38, 39):
        losses[at] = 50.0
    found = [step for step, _, _ in alarms(watch, steps(losses))]
    assert found == [31, 33, 35, 37, 39, 40]


def test_a_new_level_is_no_spike_for_ever() -> None:
    watch = Watch(only("loss_spike", "skip", "loss_spike.window=20", "skips=15"))
    found = [step for step, _, action in alarms(watch, steps([*noisy(40), *noisy(40, level=5.0)]))]
    assert found == list(range(41, 41 + len(found)))
    assert 5 <= len(found) <= 10, "at most half a window"


def test_a_gradient_is_judged_by_its_logarithm() -> None:
    def found(spike: float) -> list[int]:
        watch = Watch(only("gradient_spike", "warn", "gradient_spike.window=30", "gradient_spike.spreads=7"))
        rng = random.Random(2)
        norms = [1e-3 * math.exp(rng.gauss(0, 0.3)) for _ in range(60)]
        norms[50] = spike
        norms[55] = 0.0  # has no logarithm
        return [step for step, _, _ in alarms(watch, steps(norms, "grad_l2"))]

    assert found(1e-3 * math.exp(0.3 * 12)) == [51]
    assert found(1e-3 * math.exp(0.3 * 4)) == []
    assert found(1e-3 * math.exp(-0.3 * 12)) == []


def test_a_loss_that_has_settled_may_tremble() -> None:
    watch = Watch(only("loss_spike", "warn", "loss_spike.window=20", "loss_spike.spreads=8"))
    assert alarms(watch, steps([2.0] * 40 + [2.1] + [2.0] * 40 + [2.2])) == [(82, "loss_spike", "warn")]


def test_a_rising_loss_is_found_soon_and_once() -> None:
    watch = Watch(only("loss", "warn", "loss.window=40", "loss.spreads=3"))
    falling = [2 - 0.004 * k + noise for k, noise in enumerate(noisy(200, level=0.0))]
    assert alarms(watch, steps(falling)) == []
    rising = [1.2 + 0.01 * k + noise for k, noise in enumerate(noisy(200, level=0.0, seed=8))]
    ((step, name, action),) = alarms(watch, steps(rising, start=201))
    assert (name, action) == ("loss", "warn")
    assert 220 < step < 250, "0.3 above the lowest, at 0.01 a step and a median of ten steps"


@pytest.mark.parametrize(("rise", "found"), [(0.035, []), (0.045, [66])])
def test_a_loss_without_noise_may_tremble(rise: float, found: list[int]) -> None:
    watch = Watch(only("loss", "warn", "loss.spreads=4"))
    falling = [2 + 0.5**k for k in range(60)]
    assert [step for step, _, _ in alarms(watch, steps([*falling, *[2 * (1 + rise)] * 20]))] == found


@pytest.mark.parametrize(("loss", "found"), [(6.5, []), (6.7, [5])])
def test_the_first_losses_are_judged_by_the_first_one(loss: float, found: list[int]) -> None:
    watch = Watch(only("loss", "warn", "loss.spreads=4"))
    assert [step for step, _, _ in alarms(watch, steps([4.75, *[loss] * 7]))] == found, "4 times a tenth above it"


def test_a_rising_loss_is_told_of_again_after_it_has_fallen() -> None:
    watch = Watch(only("loss", "warn", "loss.spreads=3"))
    series = [*noisy(60), *noisy(40, level=4.0), *noisy(40), *noisy(40, level=4.0)]
    found = [step for step, _, _ in alarms(watch, steps(series))]
    assert len(found) == 2
    assert 61 < found[0] < 70
    assert 141 < found[1] < 150


def test_four_outliers_are_no_rise() -> None:
    watch = Watch(only("loss", "stop", "loss.spreads=3"))
    losses = noisy(120)
    losses[70:74] = [30.0] * 4
    assert alarms(watch, steps(losses)) == []
    losses[70:75] = [30.0] * 5
    assert alarms(Watch(only("loss", "stop", "loss.spreads=3")), steps(losses))[0] == (75, "loss", "stop")


@pytest.mark.parametrize("key", ["train_loss", "kkt_residual"])
def test_logging_epochs_that_rise(key: str) -> None:
    def found(values: list[float]) -> list[tuple[int, str, str]]:
        return alarms(Watch(only(key, "stop", f"{key}.epochs=2", f"{key}.factor=1.2")), logs(values, key))

    assert found([3, 2, 2.3, 2.3, 2.5, 2.3, 2.5, 1]) == []
    assert found([3, 2, 2.3, 2.5, 2.6, 2.3, 2.5, 2.5]) == [(40, key, "stop"), (70, key, "stop")]
    assert (30, key, "stop") in found([3, 2, math.inf, math.nan, 2])


def test_a_negative_residual_is_no_measure() -> None:
    watch = Watch(only("kkt_residual", "warn", "kkt_residual.epochs=1", "kkt_residual.factor=1.5"))
    assert alarms(watch, logs([-2.0, -3.0, 4.0, 5.0, 7.0], "kkt_residual")) == [(40, "kkt_residual", "warn")]


def test_too_many_weights_on_the_box() -> None:
    watch = Watch(only("saturation", "stop", "saturation.share=0.3"))
    records = [*logs([0.2, 0.3, 0.31], "box_share"), {"kind": "statistics", "step": 25, "saturation": 0.5}]
    assert alarms(watch, records) == [(20, "saturation", "stop"), (25, "saturation", "stop")]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_told_by_its_name(bad: float) -> None:
    watch = Watch(only("non_finite", "skip"))
    texts = [alarm.text for key in ("loss", "grad_l2") for record in steps([bad], key) for alarm in watch.hear(record)]
    assert texts == [f"loss is {bad} at step 1", f"l2 norm of the gradient is {bad} at step 1"]


def test_a_value_that_is_not_finite_leaves_no_trace_in_the_others() -> None:
    names = ("loss_spike", "gradient_spike", "loss")
    settings = [f"watch.{name}.action=warn" for name in names] + ["watch.loss_spike.window=20"]
    clean, dirty = (Watch(load("fashion-mnist", [*settings, "watch.non_finite.action=skip"])) for _ in range(2))
    losses = [*noisy(100), *noisy(20, level=4.0)]
    poisoned = [*losses[:50], math.nan, math.inf, *losses[50:]]
    expected = [(step + 2 if step > 50 else step, *rest) for step, *rest in alarms(clean, steps(losses))]
    found = [it for it in alarms(dirty, steps(poisoned)) if it[1] != "non_finite"]
    assert found == expected
    assert [name for _, name, _ in found] == ["loss_spike", "loss"]


def test_a_step_after_too_many_skipped_ones_stops_the_run() -> None:
    watch = Watch(only("non_finite", "skip", "skips=3"))
    series = [math.nan, math.nan, 1.0, *[math.nan] * 4]
    found = [alarm for record in steps(series) for alarm in watch.hear(record)]
    assert [alarm.action for alarm in found] == ["skip"] * 5 + ["stop"]
    assert found[-1].text == "loss is nan at step 7; 3 steps in a row were skipped"


def test_a_rollback_too_many_stops_the_run() -> None:
    watch = Watch(only("non_finite", "rollback", "rollbacks=2"))
    kept = watch.state_dict()
    for number in (1, 2):
        assert alarms(watch, steps([math.nan])) == [(1, "non_finite", "rollback")]
        watch.load_state_dict(kept)
        watch.hear({"kind": "rollback", "step": 0, "rollbacks": number})
    ((alarm,),) = [watch.hear(record) for record in steps([math.inf])]
    assert (alarm.action, alarm.text) == ("stop", "loss is inf at step 1; 2 rollbacks have not helped")


def test_the_strongest_alarm_comes_first() -> None:
    settings = ["loss_spike.action=warn", "gradient_spike.action=rollback", "loss_spike.window=10"]
    watch = Watch(load("fashion-mnist", [f"watch.{it}" for it in [*settings, "gradient_spike.window=10"]]))
    records = [record | {"grad_l2": record["loss"]} for record in steps([*noisy(20), 9.0])]
    assert alarms(watch, records) == [(21, "gradient_spike", "rollback"), (21, "loss_spike", "warn")]


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1, max_size=60),
    st.integers(min_value=0, max_value=60),
)
def test_a_watch_goes_on_from_its_state_to_the_bit(values: list[float], cut: int) -> None:
    settings = [f"watch.{name}.action=warn" for name in OFF[1:]]
    windows = [f"watch.{name}.window=10" for name in ("loss_spike", "gradient_spike", "loss")]
    recipe = load("fashion-mnist", [*settings, *windows, "watch.non_finite.action=skip"])
    kinds = [{"kind": "step", "loss": v, "grad_l2": abs(v)} for v in values]
    measured = [{"kind": "log", "train_loss": v, "kkt_residual": v, "box_share": v, "lr": 1e-3} for v in values]
    records = [it | {"step": n} for n, pair in enumerate(zip(kinds, measured, strict=True)) for it in pair]
    whole, first, second = (Watch(recipe) for _ in range(3))
    expected = [alarm for record in records for alarm in whole.hear(record)]
    found = [alarm for record in records[:cut] for alarm in first.hear(record)]
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    found += [alarm for record in records[cut:] for alarm in second.hear(record)]
    assert repr(found) == repr(expected)  # a nan is not equal to itself
    assert repr(second.state_dict()) == repr(whole.state_dict())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("loss.action=skip", "watch.loss.action: \"skip\" is not allowed: must be 'off', 'warn', 'stop' or 'rollback'"),
        ("non_finite.action=warn", "watch.non_finite.action: \"warn\" is not allowed: must be 'stop', 'skip' or"),
        ("loss_spike.window=9", "watch.loss_spike.window: 9 is not allowed: must be greater than or equal to 10"),
        ("lr_factor=1.0", "watch.lr_factor: 1.0 is not allowed: must be less than 1"),
        ("saturation.share=1.0", "watch.saturation.share: 1.0 is not allowed: must be less than 1"),
        ("train_loss.factor=0.5", "watch.train_loss.factor: 0.5 is not allowed: must be greater than or equal to 1"),
        ("loss.widow=20", 'watch.loss.widow: unknown key (did you mean "window"?); known: action, window, spreads'),
    ],
)
def test_settings_that_are_refused(setting: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load("fashion-mnist", [f"watch.{setting}"])
    assert message in str(caught.value)


def test_a_watch_of_defaults_leaves_the_hash_of_a_run_as_it_was() -> None:
    assert load("fashion-mnist", ["watch.skips=10"]).sha256() == load("fashion-mnist").sha256()
    assert load("fashion-mnist", ["watch.skips=11"]).sha256() != load("fashion-mnist").sha256()


def test_an_action_alone_changes_no_threshold() -> None:
    for name in OFF:
        by_default = getattr(load("fashion-mnist").watch, name).model_dump(exclude={"action"})
        assert getattr(only(name, "stop").watch, name).model_dump(exclude={"action"}) == by_default
