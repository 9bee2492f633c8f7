"""Hosts: network namespaces, joined by a bridge, each behind a link whose rate is shaped on both ends."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

BRIDGE = "lionkit0"
INTERFACE = "eth0"  # each host's own


def name(host: int) -> str:
    """Return the namespace of a host, numbered from 0."""
    return f"lionkit{host}"


def address(host: int) -> str:
    """Return the host's address."""
    return f"10.77.0.{host + 1}"


@contextmanager
def hosts(count: int, rate: str) -> Iterator[None]:
    """Make hosts, and take them away afterwards.

    Args:
        count: At least 2.
        rate: Of each link in each direction, as tc writes it, such as "100mbit".

    Raises:
        CalledProcessError: Not root, or a kernel without namespaces, veth or tbf.
    """
    _remove(count)
    try:
        _run(f"ip link add {BRIDGE} type bridge")
        _run(f"ip link set {BRIDGE} up")
        for host in range(count):
            _make(host, rate)
        yield
    finally:
        _remove(count)


def _make(host: int, rate: str) -> None:
    # 16 ms of traffic may wait for its turn at 100 Mbit/s; the burst is what a timer tick lets through at 1 Gbit/s.
    shape = f"tbf rate {rate} burst 256kb latency 50ms"
    outside, space = f"lionkit-{host}", f"ip netns exec {name(host)}"
    for command in (
        f"ip netns add {name(host)}",
        f"ip link add {outside} type veth peer name {INTERFACE} netns {name(host)}",
        f"ip link set {outside} master {BRIDGE}",
        f"ip link set {outside} up",
        f"{space} ip addr add {address(host)}/24 dev {INTERFACE}",
        f"{space} ip link set {INTERFACE} up",
        f"{space} ip link set lo up",
        f"tc qdisc add dev {outside} root {shape}",
        f"{space} tc qdisc add dev {INTERFACE} root {shape}",
    ):
        _run(command)


def _remove(count: int) -> None:
    for host in range(count):
        _run(f"ip netns del {name(host)}", check=False)
        _run(f"ip link del lionkit-{host}", check=False)
    _run(f"ip link del {BRIDGE}", check=False)


def _run(command: str, *, check: bool = True) -> None:
    subprocess.run(command.split(), check=check, capture_output=not check)
