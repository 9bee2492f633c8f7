"""The plan of the house: which room may enter which, what is public, what an import costs."""

import ast
import importlib
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import lionkit
from public_names import PUBLIC

SOURCE = Path(lionkit.__file__).parents[1]

# From the ground up: a room may use its own floor only through itself, and any floor below.
FLOORS = [
    {"lionkit.kappa", "lionkit.kernels"},
    {"lionkit.momentum", "lionkit.theory", "lionkit.probes"},
    {"lionkit.optim"},
    {"lionkit.distributed"},
    {"lionkit.testing"},
    {"lionkit_lab"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def room_of(module):
    parts = module.split(".")
    return parts[0] if parts[0] == "lionkit_lab" else ".".join(parts[:2])


def imports_of(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports here are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def forbidden_imports(module, source):
    """Names that a module imports from its own floor's neighbours, from above, or through the front door."""
    here = room_of(module)
    ours = (name for name in imports_of(source) if name.split(".")[0] in {"lionkit", "lionkit_lab"})
    for name in ours:
        there = room_of(name)
        from_above = here == "lionkit_lab" and there.split(".")[0] == "lionkit"  # the lab is a user: any door
        if there != here and not from_above and not FLOOR.get(there, len(FLOORS)) < FLOOR[here]:
            yield name


def modules():
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        yield name.removesuffix(".__init__"), path


@pytest.mark.parametrize(("module", "path"), [pytest.param(*pair, id=pair[0]) for pair in modules()])
def test_no_arrow_runs_back_up(module, path):
    if module != "lionkit":  # the front door opens on every room
        assert not list(forbidden_imports(module, path.read_text()))


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("lionkit.kernels._foreach", "from lionkit import Lion"),
        ("lionkit.kernels._foreach", "import lionkit"),
        ("lionkit.kernels._foreach", "from lionkit.kappa import L1"),
        ("lionkit.probes._frozen", "from lionkit.optim._lionk import LionK"),
        ("lionkit.optim._lionk", "import lionkit_lab.train"),
        ("lionkit.optim._lionk", "from lionkit.attic import thing"),
    ],
)
def test_an_arrow_that_runs_up_is_seen(module, line):
    assert list(forbidden_imports(module, line))


def test_every_room_stands_on_a_floor():
    rooms = {room_of(module) for module, _ in modules()} - {"lionkit"}
    assert rooms <= set(FLOOR)


@pytest.mark.parametrize("room", PUBLIC)
def test_public_names(room):
    assert sorted(importlib.import_module(room).__all__) == PUBLIC[room].split()


def test_the_update_stands_in_one_optimizer():
    (base,) = lionkit.LionK.__bases__
    assert base.__bases__ == (torch.optim.Optimizer,)
    assert base.__subclasses__() == [lionkit.LionK]
    assert not {"step", "eval", "train"} & set(vars(base))
    for member in lionkit.LionK.__subclasses__():
        own = {name for name in vars(member) if inspect.isfunction(vars(member)[name])}
        assert own <= {"__init__", "step"}, member
        assert member.step.__qualname__ == "LionK.step"  # a copy: torch wraps it there for its profiler


@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler: the package installs without the kernel")
def test_with_a_compiler_the_build_has_its_kernel():
    """Or all of its tests would be skipped without a word; in an installed copy the build may have been elsewhere."""
    assert lionkit.kernels.describe().startswith("native     one pass in C++")


def test_the_library_needs_torch_alone():
    code = "import sys, torch; before = set(sys.modules); import lionkit; print(*sorted(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    added = run.stdout.split()
    assert {name.split(".")[0] for name in added} - set(sys.stdlib_module_names) <= {"lionkit", "torch"}
    assert [name for name in added if name.startswith("lionkit.probes")] == ["lionkit.probes", "lionkit.probes._step"]
    assert "lionkit.theory" not in added  # what no step needs is opened when somebody enters it
