"""Seconds a step on hosts with a slow network: `python -m benchmarks.network [--rate 100mbit] [--hosts 2]`.

Needs Linux and root: the hosts are network namespaces of this machine, and tc's token bucket shapes their links.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

from benchmarks.network import _hosts

BASE, ALONE = "float32 all-reduce", "computing alone"


def measure(count: int, rate: str, rounds: int) -> dict[str, list[float]]:
    """Return seconds of each round by way, of hosts behind links of a rate."""
    with _hosts.hosts(count, rate):
        workers = [_start(host, count, rounds) for host in range(count)]
        try:
            while None in (states := [worker.poll() for worker in workers]) and not any(states):
                time.sleep(0.2)
        finally:
            for worker in workers:
                worker.kill()
    if any(states):
        raise SystemExit("a host has failed: its error stands above")
    assert workers[0].stdout is not None
    return json.loads(workers[0].stdout.read())


def _start(host: int, count: int, rounds: int) -> subprocess.Popen[str]:
    own = {"RANK": host, "WORLD_SIZE": count, "MASTER_ADDR": _hosts.address(0), "MASTER_PORT": 29500}
    environment = os.environ | {name: str(value) for name, value in own.items()}
    environment |= {"GLOO_SOCKET_IFNAME": _hosts.INTERFACE, "OMP_NUM_THREADS": "1"}
    command = [
        "ip",
        "netns",
        "exec",
        _hosts.name(host),
        sys.executable,
        "-m",
        "benchmarks.network._worker",
        str(rounds),
    ]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", default="100mbit", help="of every link in each direction, as tc writes it")
    parser.add_argument("--hosts", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    seconds = measure(asked.hosts, asked.rate, asked.rounds)
    base = statistics.median(seconds[BASE])
    print(f"{asked.hosts} hosts, {asked.rate}, {asked.rounds} rounds\n")
    print("| way | seconds a step | quartiles | times faster than float32 |\n| --- | --- | --- | --- |")
    for name, times in seconds.items():
        low, middle, high = statistics.quantiles(times, n=4)
        faster = "" if name == ALONE else f"{base / middle:.1f}"
        print(f"| {name} | {middle:.3f} | {low:.3f}-{high:.3f} | {faster} |")


if __name__ == "__main__":
    main()
