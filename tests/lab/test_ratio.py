"""The central figure: what is measured, how its growth is fitted, and the command."""

import csv
import json
import math
import statistics
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from lionkit_lab import models, ratio
from lionkit_lab.cli import app
from lionkit_lab.data.images import load_image_set
from lionkit_lab.errors import RunError, UsageError
from lionkit_lab.ratio import CASES, FULL_SIZE, Case, Curve, Ledger, Measurement, Row, measure
from lionkit_lab.recipe import BERT, GPT2, MLP, ResNet
from lionkit_lab.recipe import load as load_recipe
from lionkit_lab.record import find_runs
from lionkit_lab.train import train

SMALL = Case("mlp-1", MLP(name="mlp", widths=(5, 7)), "images", 28, 30, 12)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LIONKIT_CACHE", str(tmp_path / "cache"))


def invoke(*arguments, code=0):
    result = CliRunner().invoke(app, ["ratio", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def row(case, dim, *ratios):
    return Row(case, dim, ratios, tuple(0.25 for _ in ratios), 30)


def test_there_are_enough_networks_of_every_kind():
    kinds = {case.architecture for case in CASES}
    assert len(CASES) >= 12
    assert kinds == {"MLP", "ResNet", "ViT", "GPT-2", "BERT"}
    assert {case.name for case in FULL_SIZE} >= {"gpt2-medium", "resnet50", "vit-s", "bert-base"}
    assert len({case.sha256() for case in (*CASES, *FULL_SIZE)}) == len(CASES) + len(FULL_SIZE)
    with torch.device("meta"):
        dims = [sum(param.numel() for param in _network(case).parameters()) for case in CASES]
    assert max(dims) > 1000 * min(dims)


def _network(case):
    if isinstance(case.settings, GPT2 | BERT):
        return models.language_model(case.settings, 89, case.context)
    return models.image_classifier(case.settings, (1, 28, 28), 10)


def test_a_measurement_is_the_gradient_of_the_mean_loss_by_plain_autograd():
    found = measure(SMALL, seed=4)
    torch.manual_seed(4)
    model = models.mlp(SMALL.settings, (1, 28, 28), 10).double()
    data, places = load_image_set(None), torch.arange(30) * 4000 // 30
    images, labels = data.standardise(data.train.plain(places)), data.train.labels[places]
    loss = torch.nn.functional.cross_entropy(model(images.double()).logits, labels)
    loss.backward()
    gradient = torch.cat([param.grad.flatten() for param in model.parameters()])
    assert (found.dim, found.num_samples, found.seed) == (784 * 5 + 5 + 5 * 7 + 7 + 7 * 10 + 10, 30, 4)
    assert found.loss == pytest.approx(loss.item(), rel=1e-6)
    assert found.l1 == pytest.approx(gradient.abs().sum().item(), rel=1e-5)
    assert found.ratio == pytest.approx((gradient.abs().sum() / gradient.norm()).item(), rel=1e-5)
    squares = {name: param.grad.square().sum().item() for name, param in model.named_parameters()}
    assert found.top == max(squares, key=squares.__getitem__)
    assert found.top_share == pytest.approx(max(squares.values()) / sum(squares.values()), rel=1e-5)


def test_one_seed_measures_the_same_twice_and_another_seed_does_not():
    one, again, other = (measure(SMALL, seed) for seed in (0, 0, 1))
    assert replace(one, seconds=0) == replace(again, seconds=0)
    assert one.ratio != other.ratio


@pytest.mark.parametrize("section", [GPT2, BERT])
def test_text_is_measured_on_windows_of_moby_dick(section):
    settings = section(name=section.__name__.lower(), width=8, layers=1, heads=2)
    found = measure(Case("text", settings, "characters", 16, 6, 4), seed=2)
    assert found.num_samples == 6
    uniform = math.log(89)  # 83 characters and 6 special tokens
    order = math.log(2) if section is BERT else 0.0
    assert found.loss == pytest.approx(uniform + order, rel=0.15)
    assert 1 < found.ratio < math.sqrt(found.dim)


def test_images_are_scaled_to_the_side_and_channels_of_a_full_size_network():
    settings = ResNet(name="resnet", widths=(8, 8), stem="7x7")
    found = measure(Case("large", settings, "large images", 64, 4, 2), seed=1)
    with torch.device("meta"):
        assert found.dim == sum(param.numel() for param in models.resnet(settings, 3, 10).parameters())


def test_the_command_measures_what_is_missing_and_no_more(tmp_path, monkeypatch):
    out = tmp_path / "out"
    invoke("--only", "mlp-1", "--seeds", 2, "--out", out)
    ledger = (out / "measurements.jsonl").read_bytes()
    asked = []
    monkeypatch.setattr("lionkit_lab.ratio.measure", lambda case, seed: asked.append(seed) or measure(case, seed))
    (out / "measurements.jsonl").write_bytes(ledger + b'{"kind": "init')  # killed while it wrote
    text = invoke("--only", "mlp-1", "--seeds", 3, "--out", out).stdout
    assert asked == [2]
    assert (out / "measurements.jsonl").read_bytes().startswith(ledger)
    lines = [json.loads(line) for line in (out / "measurements.jsonl").read_text().splitlines()]
    assert [line["seed"] for line in lines] == [0, 1, 2]
    mean = statistics.fmean(line["ratio"] for line in lines)
    sd = statistics.stdev(line["ratio"] for line in lines)
    top = statistics.fmean(line["top_share"] for line in lines)
    shares = f"{mean / 9550**0.5:.3f} | {100 * top:.0f} %"
    assert f"| mlp-1 | images | 1,000 | 9,550 | 97.7 | {mean:.1f} | {sd:.3g} | {shares} | 3 |" in text
    rows = list(csv.DictReader((out / "ratio.csv").read_text().splitlines()))
    assert [float(line["ratio"]) for line in rows] == [line["ratio"] for line in lines]


def test_a_case_that_has_changed_is_measured_anew(tmp_path):
    one = Measurement(SMALL.name, SMALL.sha256(), 0, 30, 100, 1.0, 5.0, 1.0, 5.0, "a", 0.4, 0.1)
    with Ledger(tmp_path / "m.jsonl") as ledger:
        ledger.append(one)
    with Ledger(tmp_path / "m.jsonl") as ledger:
        assert ledger.find(SMALL, 0) == one
        assert ledger.find(SMALL, 1) is None
        assert ledger.find(replace(SMALL, num_samples=31), 0) is None


def test_a_damaged_ledger_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_text('{"kind": "initial", "step": 0, "model": "mlp-1"}\n')
    with pytest.raises(RunError, match=r'line 1 of .* is damaged: "case" is missing'), Ledger(path):
        pass
    path.write_text("{}\nx\n")
    with pytest.raises(RunError, match="line 1 of"), Ledger(path):
        pass
    assert path.read_text() == "{}\nx\n"


def test_two_processes_do_not_share_a_folder(tmp_path):
    path = tmp_path / "m.jsonl"
    code = f"from lionkit_lab.ratio import Ledger; from pathlib import Path\nwith Ledger(Path({str(path)!r})): pass"
    with Ledger(path):
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert f"UsageError: output folder {tmp_path} is in use by another process" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "resnet5"], 'error: model "resnet5" is not known (did you mean "resnet50"?); known: mlp-1, mlp-2'),
        (["--seeds", "0"], "--seeds"),
        (["--runs", "nowhere"], 'error: runs "nowhere" is not a folder'),
    ],
)
def test_what_cannot_be_is_one_line(arguments, message, tmp_path):
    error = invoke(*arguments, "--out", tmp_path / "out", code=2).stderr
    assert message in error
    assert error.count("\n") == 1


def test_a_full_size_network_without_its_tokenizer_says_what_to_fetch(tmp_path):
    error = invoke("--only", "gpt2-small", "--out", tmp_path / "out", code=1).stderr
    assert "lionkit data fetch gpt2-bpe" in error
    assert error.strip().count("\n") == 0  # before it there is the end of the progress bar


def test_figures_are_the_same_bytes_every_time(tmp_path):
    rows = [
        row(case, 10 ** (3 + place), *(10.0**place * seed for seed in (2, 3))) for place, case in enumerate(CASES[:4])
    ]
    rows.append(row(FULL_SIZE[0], 10**8, 5000.0))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        files = ratio.save_figures(rows, [], tmp_path / name)
        assert [path.name for path in files] == ["ratio.png", "ratio.svg", "ratio.pdf"]
    one, two = ([path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in ("one", "two"))
    assert one == two


def test_the_page_keeps_small_and_full_size_apart():
    rows = [row(case, 10**dim, 0.5 * 10 ** (dim / 2)) for case, dim in zip(CASES[:3], (3, 4, 5), strict=True)]
    rows.append(row(FULL_SIZE[0], 10**8, 10.0**2))
    text = ratio.page(rows, [])
    assert "| all small networks | 0.5 | 0.5000 | 0.5000 to 0.5000 | 3 |" in text
    assert "| with full size |" in text
    assert "| resnet18 | large images | 30 | 100,000,000 | 10,000.0 | 100.0 |  | 0.010 | 25 % | 1 |" in text


def curve(dim, ratios, arm="Lion", seed=0):
    steps = tuple(range(0, 10 * len(ratios), 10))
    return Curve(f"net {dim}", "task", "MLP", arm, 1e-3, seed, dim, steps, tuple(ratios))


def test_curves_are_read_off_at_shares_of_training_and_fitted():
    found = [curve(d, (d**0.5, 0.9 * d**0.45, 0.8 * d**0.4, 0.7 * d**0.3, 0.6 * d**0.25)) for d in (100, 1000, 10000)]
    found.append(curve(100, found[0].ratios, seed=1))
    text = ratio.page([], found)
    assert "| task | net 100 | 100 | Lion | 2 | 1.000 | 0.505 | 0.190 | 0.190 |" in text
    assert "| Lion, start of training | 1 | 0.5000 | 0.5000 to 0.5000 | 3 |" in text
    assert "| Lion, middle of training | 0.8 | 0.4000 | 0.4000 to 0.4000 | 3 |" in text
    assert "| Lion, end of training | 0.6 | 0.2500 | 0.2500 to 0.2500 | 3 |" in text


def test_runs_add_their_logging_epochs(tiny, tmp_path):
    train(load_recipe(tiny), tmp_path / "runs" / "one")
    out = tmp_path / "out"
    text = invoke("--only", "mlp-1", "--seeds", 1, "--runs", tmp_path / "runs", "--out", out).stdout
    (run,) = find_runs([tmp_path / "runs"])
    lines = list(csv.DictReader((out / "ratio-training.csv").read_text().splitlines()))
    assert [int(line["step"]) for line in lines] == [0, 4, 8, 12]
    assert [float(line["ratio"]) for line in lines] == [log["ratio"] for log in run.logs]
    assert [float(line["ratio_over_sqrt_dim"]) for line in lines] == pytest.approx(
        [log["ratio_over_sqrt_dim"] for log in run.logs]
    )
    assert {line["architecture"] for line in lines} == {"ViT"}
    assert f"| {run.task['title']} | {run.task['model']} |" in text
    assert (out / "ratio-training.svg").exists()


def test_unfinished_runs_and_ratios_that_are_no_numbers_are_left_out(tiny, tmp_path):
    train(load_recipe(tiny), tmp_path / "run")
    (run,) = find_runs([tmp_path / "run"])
    run.logs[1]["ratio"] = math.nan
    assert ratio.curves([run])[0].steps == (0, 8, 12)
    assert ratio.curves([replace(run, end=None)]) == []


def test_a_name_that_is_not_known_is_refused():
    assert [case.name for case in ratio.find_cases(["vit-s", "mlp-1", "vit-s"], full=False)] == ["vit-s", "mlp-1"]
    assert ratio.find_cases([], full=False) == list(CASES)
    assert ratio.find_cases([], full=True) == [*CASES, *FULL_SIZE]
    with pytest.raises(UsageError, match='model "mlp" is not known'):
        ratio.find_cases(["mlp"], full=False)
