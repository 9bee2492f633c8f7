"""Tokenise documents and die by SIGKILL before the n-th change of the disk; `test_shards` runs this.

python killed_tokenise.py FOLDER N
"""

import os
import signal
import sys
from pathlib import Path

from lionkit_lab.data.language import Passages, character_tokenizer, tokenise

TEXTS = tuple("abcdefgh "[: 2 + n % 7] * (1 + 3 * n % 11) for n in range(40))


def tokens(folder):
    return tokenise(Passages("made", TEXTS), character_tokenizer(TEXTS), folder, shard_tokens=100)


def main():
    left = int(sys.argv[2])
    for owner, name in ((os, "fsync"), (Path, "replace")):
        setattr(owner, name, counted(getattr(owner, name), left))
    tokens(Path(sys.argv[1]))


count = [0]


def counted(change, die_before):
    def wrapper(*args, **kwargs):
        count[0] += 1
        if count[0] == die_before:
            os.kill(os.getpid(), signal.SIGKILL)
        return change(*args, **kwargs)

    return wrapper


if __name__ == "__main__":
    main()
