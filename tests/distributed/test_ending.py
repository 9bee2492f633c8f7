"""A process that has voted ends as it would have without, whatever has become of its process group."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("a_worker.py")


def end_of_two(ending, store):
    workers = [
        subprocess.Popen([sys.executable, PROGRAM, str(rank), "2", store, ending], stderr=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    try:
        told = [worker.communicate(timeout=60)[1] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    return [worker.returncode for worker in workers], told


@pytest.mark.parametrize("ending", ["destroys", "raises"])
def test_a_process_ends_cleanly(ending, tmp_path):
    codes, told = end_of_two(ending, tmp_path / "store")
    assert codes == ([1, 1] if ending == "raises" else [0, 0]), told
    assert not any("terminate" in text for text in told)
    assert all(("a mistake of the user" in text) == (ending == "raises") for text in told)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["destroys", "leaves", "raises"])
def test_processes_end_cleanly_every_time(ending, tmp_path):
    """Before lanes were joined one pair of three was aborted."""
    for number in range(12):
        codes, told = end_of_two(ending, tmp_path / f"store{number}")
        assert codes == ([1, 1] if ending == "raises" else [0, 0]), told
