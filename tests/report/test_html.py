"""The report as text, and as a page in a real browser."""

import pytest
from fake_runs import IMAGES, write_grid, write_run

from lionkit_lab import report
from lionkit_lab.errors import UsageError
from lionkit_lab.record import find_runs
from lionkit_lab.report import html

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
EVIL = "<script>alert('x')</script>"


def lone_report(folder, **options):
    run = write_run(folder / "run", **options)
    return html.write(find_runs([run]), folder / "report.html")


def test_everything_from_a_manifest_is_escaped(tmp_path):
    task = {**IMAGES, "title": EVIL, "model": EVIL, "unit": EVIL, "metric": {**IMAGES["metric"], "label": EVIL}}
    text = lone_report(tmp_path, task=task, optimizer=EVIL, source=EVIL).read_text()
    assert EVIL not in text
    assert "&lt;script&gt;alert" in text


def test_the_page_names_the_origin_of_its_numbers(report_path):
    text = report_path.read_text()
    for fact in ("fe282a57" * 8, "CC0-1.0", "2.13.0", "0a1b2c3d4e5f", "arXiv 2411.07724", "optimizer.weight_decay"):
        assert fact in text


@pytest.mark.parametrize("options", [{}, PHONE, {"color_scheme": "dark"}], ids=["desktop", "phone", "dark"])
def test_a_quiet_page(open_report, report_path, options):
    page = open_report(**options)
    assert page.complaints == []
    assert page.requests == [report_path.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_every_chart_is_drawn(open_report):
    counts = open_report().evaluate(
        "[...document.querySelectorAll('.chart')].map((c) => c.querySelectorAll('.trace.scatter path').length)"
    )
    assert len(counts) == 10
    assert min(counts) > 0


def test_the_theme_button_recolours_page_and_charts_and_is_remembered(open_report):
    page = open_report(color_scheme="light")
    look = "[getComputedStyle(document.body).backgroundColor, document.querySelector('.js-line').style.stroke]"
    light = page.evaluate(look)
    page.click("#theme")
    dark = page.evaluate(look)
    assert all(before != after for before, after in zip(light, dark, strict=True))
    page.reload()
    assert page.evaluate(look) == dark


def traces(page, chart="fashion-mnist-training-loss"):
    return page.locator(f"#{chart} .trace.scatter").count()


def test_the_buttons_choose_what_is_drawn(open_report):
    page = open_report()
    assert traces(page) == 6  # three best runs, each with its minibatch losses
    page.uncheck("#minibatch")
    assert traces(page) == 3
    page.check("#all-rates")
    assert traces(page) == 9
    page.focus(".chip[data-arm=lion]")
    page.keyboard.press("Enter")
    assert traces(page) == 6
    assert page.get_attribute(".chip[data-arm=lion]", "aria-pressed") == "false"


def test_zoom_and_reset(open_report):
    page = open_report()
    chart = page.locator("#fashion-mnist-training-loss")
    span = "() => document.getElementById('fashion-mnist-training-loss').layout.xaxis.range"
    before = page.evaluate(span)
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 150, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 160, steps=5)
    page.mouse.up()
    zoomed = page.evaluate(span)
    assert zoomed != before
    page.uncheck("#minibatch")
    assert page.evaluate(span) == zoomed
    page.click("#reset")
    assert page.evaluate(span) == pytest.approx(before)


@pytest.mark.parametrize(("suffix", "head"), [("png", b"\x89PNG"), ("svg", b"<svg"), ("csv", b"series,optimizer")])
def test_the_download_buttons_give_files(open_report, tmp_path, suffix, head):
    page = open_report()
    with page.expect_download() as download:
        page.click(f"[data-chart=moby-dick-norm-ratio][data-download={suffix}]")
    assert download.value.suggested_filename == f"moby-dick-norm-ratio.{suffix}"
    download.value.save_as(tmp_path / "file")
    assert (tmp_path / "file").read_bytes().startswith(head)
    assert page.complaints == []


def test_the_summary_sorts_within_each_task(open_report):
    page = open_report()
    page.click("#summary-table thead th:nth-child(4) button")  # train loss, rising
    page.click("#summary-table thead th:nth-child(4) button")
    names = page.locator("#summary-table tbody tr:not(.group) th").all_inner_texts()
    assert [name.strip() for name in names] == ["SGD", "AdamW", "Lion"] * 2


def test_paper_is_light_and_unfolded_and_the_screen_comes_back(open_report):
    page = open_report(color_scheme="dark")
    folded = page.locator("details:not([open])").count()
    assert folded > 0
    width = "document.querySelector('.chart .main-svg').getBoundingClientRect().width"
    screen = page.evaluate(width)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.evaluate("document.documentElement.hasAttribute('data-dark')") is False
    assert page.evaluate(width) == 325
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(width) == screen
    assert page.locator("details:not([open])").count() == folded
    assert page.evaluate("document.documentElement.hasAttribute('data-dark')") is True
    assert page.complaints == []


@pytest.mark.parametrize(
    "options",
    [{}, {"end": False}, {"optimizer": "sgd", "lr": 1.0, "speed": None}, {"task": {**IMAGES, "title": EVIL}}],
    ids=["finished", "unfinished", "diverged", "evil"],
)
def test_one_run_alone(open_report, tmp_path, options):
    path = lone_report(tmp_path, **options)
    assert open_report(path).complaints == []


def test_many_optimizers_and_runs(open_report, tmp_path):
    speeds = {name: {1e-4 * 3**i: 1.0 + i for i in range(6)} for name in ("lion", "adamw", "sgd", "muon", "a <b>")}
    write_grid(tmp_path, speeds, (IMAGES,))
    page = open_report(html.write(find_runs([tmp_path]), tmp_path / "report.html"), **PHONE)
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_an_output_folder_that_cannot_be_written_is_named(tmp_path, runs):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r'output folder ".*file.out" cannot be written: Not a directory'):
        report.write(runs[:1], tmp_path / "file" / "out")
