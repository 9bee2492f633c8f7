"""What `lionkit bench` measures: who steps, in which order, and what the figures count."""

import sys
from pathlib import Path

import pytest
import torch

import lionkit
from lionkit_lab.bench import BASELINE, CONTENDERS, Case, Effort, Page, Result, Row, _memory, find_cases, measure
from lionkit_lab.bench._compiled import CompiledReference
from lionkit_lab.bench._contenders import MUON, SETTINGS, TORCH_MUON, Contender
from lionkit_lab.bench._measure import interleaved
from lionkit_lab.bench._targets import TARGETS

SMALL = Case("small", 3, 5_000)
BRIEF = Effort((), seconds=0.0, min_rounds=5)
EASY = ["lionkit", BASELINE, "lion-pytorch"]


def row(contender, ratio=None, **others):
    return Row(contender, "1.0", "measured", ratio_to_adamw=ratio, **others)


@pytest.fixture
def strangers(monkeypatch):
    """A contender that is not installed, and one whose options do not fit."""
    monkeypatch.setitem(CONTENDERS, "absent", Contender("absent-lion", "nowhere_to_be_found"))
    monkeypatch.setitem(CONTENDERS, "unfit", Contender("torch", "torch.optim", "SGD", {"sleep": True}))
    return ["absent", "unfit"]


def test_what_a_step_moves_and_keeps():
    result = measure(Case("small", 2, 10_000), EASY, BRIEF)
    for name, moved, state in [("lionkit", 20, 4), ("lion-pytorch", 20, 4), (BASELINE, 28, 8), ("streaming", 8, 0)]:
        found = result.row(name)
        assert found.state_bytes_per_param == pytest.approx(state, abs=1e-3)  # AdamW counts its steps in a float
        assert found.bytes_per_param == pytest.approx(moved, abs=2e-3)
        assert found.gb_per_second == pytest.approx(found.bytes_per_param / found.ns_per_param)
        assert 0 < found.ns_lower <= found.ns_per_param <= found.ns_upper
        assert found.rounds == 5
    assert result.row(BASELINE).ratio_to_adamw == 1
    assert result.row("streaming").share_of_streaming == 1


def test_half_the_dtype_is_half_the_bytes():
    bfloat16 = measure(Case("small", 1, 10_000, "bfloat16"), ["lionkit", BASELINE], BRIEF)
    assert bfloat16.row("lionkit").bytes_per_param == 10
    assert bfloat16.row(BASELINE).bytes_per_param == pytest.approx(14, abs=2e-3)


@pytest.mark.parametrize(
    ("contender", "state"),
    [("bfloat16 momentum", 2.0), ("int8 momentum", 1 + 2 / 128), ("int4 momentum", 0.5 + 2 / 128)],
)
def test_the_state_of_a_shorter_momentum(contender, state):
    found = measure(Case("small", 1, 128 * 80), [f"lionkit, {contender}", BASELINE], BRIEF).row(f"lionkit, {contender}")
    assert found.state_bytes_per_param == pytest.approx(state)


def test_every_round_has_every_call_once_in_an_order_of_its_own():
    calls, ticks = [], []
    steps = {name: lambda name=name: calls.append(name) for name in "abcde"}
    seconds = interleaved(steps, 20, lambda done, total: ticks.append((done, total)))
    rounds = [tuple(calls[i : i + 5]) for i in range(0, 100, 5)]
    assert all(sorted(order) == list("abcde") for order in rounds)
    assert len(set(rounds)) > 10
    assert {order[0] for order in rounds} == set("abcde")
    assert [len(seconds[name]) for name in "abcde"] == [20] * 5
    assert ticks == [(done, 20) for done in range(1, 21)]


def test_no_contender_writes_to_the_shared_gradients():
    grads = [torch.randn(50, 100) for _ in range(2)]
    before = [grad.clone() for grad in grads]
    for contender in CONTENDERS.values():
        if not contender.missing and contender.module != CompiledReference.__module__:
            optimizer = contender.make([torch.ones(50, 100)] * 2, grads)
            optimizer.step()
            assert not any((param == 1).all() for param in optimizer.param_groups[0]["params"])
    assert all(map(torch.equal, grads, before))


def test_the_missing_and_the_refused_are_listed(strangers, capsys):
    result = measure(SMALL, [*EASY, *strangers], BRIEF)
    listed = {row.contender: (row.status, row.reason) for row in result.rows}
    assert listed["absent"] == ("missing", "pip install absent-lion")
    status, reason = listed["unfit"]
    assert status == "refused"
    assert reason.startswith("TypeError: ")
    assert "\n" not in reason
    assert listed["lionkit"] == ("measured", "")
    Page().result(result)
    printed = capsys.readouterr().out
    assert "\n- absent: missing: pip install absent-lion\n" in printed
    assert "\n- unfit: refused: TypeError: " in printed


def test_a_contender_is_asked_for_its_own_dtypes_alone():
    name = "lionkit, stochastic rounding"
    assert measure(SMALL, ["lionkit", name, BASELINE], BRIEF).row(name) is None
    half = measure(Case("small", 1, 5_000, "bfloat16"), [name, BASELINE], BRIEF)
    assert half.row(name) is not None


def test_muon_is_asked_for_matrices_alone():
    names = ["lionkit", MUON, TORCH_MUON, BASELINE]
    assert [row.contender for row in measure(SMALL, names, BRIEF).rows] == ["lionkit", BASELINE, "streaming"]
    (case,) = find_cases(["float32,2x30x50"])
    assert (str(case), case.shape, case.num_params) == ("float32, 2 x 30 x 50", (30, 50), 3_000)
    result = measure(case, names, BRIEF)
    assert {row.status for row in result.rows} == {"measured"}
    assert result.row(MUON).state_bytes_per_param == result.row(TORCH_MUON).state_bytes_per_param == 4
    weights, grads = [torch.ones(4, 6)], [torch.randn(4, 6)]
    assert {CONTENDERS[name].make(weights, grads).param_groups[0]["lr"] for name in names} == {SETTINGS["lr"]}


def test_what_does_not_fit_into_memory_at_once_is_measured_in_groups(monkeypatch):
    monkeypatch.setattr(_memory, "_free_bytes", lambda: SMALL.num_params * (32 + 3 * 12))
    names = ["lionkit", "lionkit, foreach", BASELINE, "lion-pytorch"]
    assert _memory.groups(SMALL, names) == [
        [BASELINE, "lionkit", "lionkit, foreach"],
        [BASELINE, "lion-pytorch"],
    ]
    result = measure(SMALL, names, BRIEF)
    assert [row.contender for row in result.rows] == [*names, "streaming"]
    assert [row.group for row in result.rows] == [1, 1, 1, 2, 1]


def test_a_tensor_that_states_share_counts_once():
    param, other = (torch.nn.Parameter(torch.ones(8)) for _ in range(2))
    optimizer = torch.optim.SGD([param, other])
    shared = torch.ones(100)
    optimizer.state[param] = {"map": shared, "momentum": torch.ones(8), "step": 3}
    optimizer.state[other] = {"map": shared}
    assert _memory.state_bytes(optimizer) == 4 * (100 + 8)


def test_a_buffer_of_a_step_is_seen():
    case, weight = Case("wide", 1, 2**23), torch.ones(2**23)
    if _memory.step_bytes(lambda: None, case) is None:
        pytest.skip("this system does not count a process's pages")
    assert _memory.step_bytes(lambda: weight.mul_(0.5), case) < 2**21
    for factor, step in [(1, lambda: weight.mul(0.5)), (3, lambda: (weight + 1) * (weight + 2))]:
        assert _memory.step_bytes(step, case) == pytest.approx(factor * weight.nbytes, rel=0.1)
    assert _memory.step_bytes(lambda: weight.mul(0.5), SMALL) is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's own compiler
@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_compiled_reference_is_lion(monkeypatch, compiled):
    if not compiled:
        monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    weights, grads = ([torch.randn(40, 3) for _ in range(2)] for _ in range(2))
    own = Contender("lionkit", CompiledReference.__module__, "CompiledReference").make(weights, grads)
    lion = Contender("lionkit", "lionkit").make(weights, grads)
    for _ in range(3):
        own.step()
        lion.step()
    for group, other in zip(own.param_groups, lion.param_groups, strict=True):
        for one, two in zip(group["params"], other["params"], strict=True):
            torch.testing.assert_close(one, two, rtol=0, atol=1e-6)  # a differing sign would be 2e-4
            torch.testing.assert_close(own.state[one]["exp_avg"], lion.state[two]["exp_avg"])
    assert SETTINGS["weight_decay"] > 0


def test_the_settings_are_lionkits_own():
    optimizer = CONTENDERS["lionkit, int8 momentum"].make([torch.ones(9)], [torch.ones(9)])
    assert isinstance(optimizer, lionkit.Lion)
    assert optimizer.param_groups[0]["momentum_dtype"] == "int8"


def test_targets_are_set_beside_what_was_measured(capsys):
    large, many = (find_cases([name])[0] for name in ("large", "many"))
    quick = row("lionkit", 0.7, share_of_streaming=0.8, ns_per_param=2.0, state_bytes_per_param=4.0)
    results = [
        Result(large, [quick, row("lionkit, statistics", 0.84)]),
        Result(many, [row("lionkit", 0.2, ns_per_param=9.0), row("lion-pytorch", 4.0), row(BASELINE, 1.0)]),
        Result(find_cases(["1e7"])[0], [row("lionkit", 0.7, ns_per_param=2.5)]),
        Result(find_cases(["1e5"])[0], [row("lionkit", 0.7, ns_per_param=99.0)]),
    ]
    found = {(it.work, it.against): it.measured(results) for it in TARGETS}
    assert found["float32, one tensor of 67 M", "streaming, per byte"] == pytest.approx(1.25)
    assert found["float32, 2,000 tensors of 1,000", "lion-pytorch"] == pytest.approx(0.05)
    assert found["statistics on, 67 M", "off"] == pytest.approx(1.2)
    assert found["time a parameter, 1e6 and more", "its least"] == pytest.approx(1.25)
    assert found["float32 momentum", "bytes of state"] == 4.0
    assert found["int8 momentum, 67 M", BASELINE] is None
    Page().targets(results)
    printed = capsys.readouterr().out
    assert f"| float32, 2,000 tensors of 1,000 | {BASELINE} | 0.20 | 0.200 | yes |" in printed
    assert "| statistics on, 67 M | off | 1.10 | 1.200 | no |" in printed
    assert "int8" not in printed


def test_a_terminal_gets_a_table_of_its_own(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    Page().result(measure(SMALL, EASY, BRIEF))
    printed = capsys.readouterr().out
    assert "lion-pytorch" in printed
    assert "|" not in printed


def test_every_figure_format_is_the_same_twice(tmp_path: Path):
    from lionkit_lab.bench import save

    results = [measure(Case(str(numel), 1, numel), EASY, BRIEF) for numel in (200, 3_000)]
    for suffix in ("png", "svg", "pdf"):
        first, second = (tmp_path / f"{name}.{suffix}" for name in "ab")
        save(results, first)
        save(results, second)
        assert first.read_bytes() == second.read_bytes() != b""
