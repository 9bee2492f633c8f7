"""The plan of the lab: which room may enter which."""

from pathlib import Path

import pytest

import lionkit_lab
from test_house import imports_of

SOURCE = Path(lionkit_lab.__file__).parent

# From the ground up: a room may use any floor below, and its own floor only through itself.
FLOORS = [
    {"errors", "atomic", "machine", "progress", "settings", "statistics"},
    {"data", "recipe", "record"},
    {"models", "optimizers", "watch"},
    {"tasks"},
    {"engine", "trackers"},
    {"checkpoint", "manifest"},
    {"state"},
    {"train"},
    {"report"},
    {"bench", "dry_run", "ratio", "sweep", "verify"},
    {"cli"},
    {"__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# A report is made from what a run has recorded: nothing that trains is needed for it.
REPORT_MAY_ENTER = {"errors", "atomic", "settings", "statistics", "record", "report"}


def modules():
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).with_suffix("").parts[0], path


def rooms_entered(path):
    for imported in imports_of(path.read_text()):
        package, *rooms = imported.split(".")
        if package == "lionkit_lab" and rooms:
            yield rooms[0]


@pytest.mark.parametrize(
    ("here", "path"), [pytest.param(here, path, id=str(path.relative_to(SOURCE))) for here, path in modules()]
)
def test_no_arrow_runs_back_up_in_the_lab(here, path):
    for there in rooms_entered(path):
        assert there == here or FLOOR[there] < FLOOR[here], f"{path} imports {there}"
        assert here != "report" or there in REPORT_MAY_ENTER, f"{path} imports {there}"


@pytest.mark.parametrize(
    ("here", "path"), [pytest.param(here, path, id=str(path.relative_to(SOURCE))) for here, path in modules()]
)
def test_a_room_of_the_lab_is_entered_by_its_public_names(here, path):
    for imported in imports_of(path.read_text()):
        package, *rooms = imported.split(".")
        if package == "lionkit_lab" and rooms and rooms[0] != here:
            assert not any(name.startswith("_") for name in rooms), f"{path} imports {imported}"


def test_every_room_of_the_lab_stands_on_a_floor():
    assert {here for here, _ in modules()} - {"__init__"} == set(FLOOR)
