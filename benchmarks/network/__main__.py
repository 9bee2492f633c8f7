"""Seconds a step on hosts with a slow network: `python -m benchmarks.network`, `--help` for rate, hosts and batch.

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
from benchmarks.network._worker import COMPUTING, WAYS, alone


def measure(count: int, rate: str, arguments: list[float]) -> dict[str, list[float]]:
    """Return seconds of each round by what was timed, of hosts behind links of a rate."""
    with _hosts.hosts(count, rate):
        workers = [_start(host, count, arguments) for host in range(count)]
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


def _start(host: int, count: int, arguments: list[float]) -> subprocess.Popen[str]:
    own = {"RANK": host, "WORLD_SIZE": count, "MASTER_ADDR": _hosts.address(0), "MASTER_PORT": 29500}
    environment = os.environ | {name: str(value) for name, value in own.items()}
    environment |= {"GLOO_SOCKET_IFNAME": _hosts.INTERFACE, "OMP_NUM_THREADS": "1"}
    space = ["ip", "netns", "exec", _hosts.name(host)]
    command = [*space, sys.executable, "-m", "benchmarks.network._worker", *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", default="100mbit", help="of every link in each direction, as tc writes it")
    parser.add_argument("--hosts", type=int, default=2)
    parser.add_argument("--batch", type=int, default=16, help="images of each host: what a step computes")
    parser.add_argument("--bucket", type=float, default=25, help="DDP's bucket_cap_mb")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    seconds = measure(asked.hosts, asked.rate, [asked.rounds, asked.batch, asked.bucket])
    computing = statistics.median(seconds[COMPUTING])
    print(f"{asked.hosts} hosts, {asked.rate}, {asked.rounds} rounds; of each host {asked.batch} images, which alone")
    print(f"take {computing:.3f} seconds a step; buckets of {asked.bucket:g} MB\n")
    print("| way | seconds a step | quartiles | times faster | exchange alone | with computing | step of that |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    base = statistics.median(seconds[next(iter(WAYS))])
    for name in WAYS:
        low, step, high = statistics.quantiles(seconds[name], n=4)
        exchange = statistics.median(seconds[alone(name)])
        both = computing + exchange
        print(f"| {name} | {step:.3f} | {low:.3f}-{high:.3f} | {base / step:.1f} ", end="")
        print(f"| {exchange:.3f} | {both:.3f} | {step / both:.2f} |")


if __name__ == "__main__":
    main()
