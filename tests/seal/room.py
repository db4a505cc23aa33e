"""A room without a network: a new network namespace, watched from outside with strace.

By hand, with a kit that trains::

    PYTHONPATH=tests python tests/seal/room.py kit.tar team.pub PLACE [LEVERS]
"""

from __future__ import annotations

import functools
import ipaddress
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kits import unpacked

_CALL = re.compile(r"\b(connect|sendto|sendmsg|sendmmsg|bind)\(")
_ADDRESS = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
_LOCAL = re.compile(r'sa_family=AF_UNIX, sun_path=@?"([^"]+)"')


@dataclass
class Watched:
    """What was asked of the kernel: call → addresses; sockets of this machine by path."""

    reached: dict[str, set[str]] = field(default_factory=dict)
    local: set[str] = field(default_factory=set)

    @property
    def off_loopback(self) -> list[str]:
        """Every attempt to reach another machine, or to be reached from one."""
        return sorted(
            f"{call} {address}"
            for call, addresses in self.reached.items()
            for address in addresses
            if not is_loopback(address)
        )


def is_loopback(address: str) -> bool:
    """Whether an address means this machine, also where IPv6 wraps IPv4."""
    found = ipaddress.ip_address(address)
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


def watched(trace: str) -> Watched:
    """Read what strace wrote."""
    seen = Watched()
    for line in trace.splitlines():
        call = _CALL.search(line)
        if call is None:
            continue
        for match in _ADDRESS.finditer(line):
            seen.reached.setdefault(call[1], set()).add(match[1] or match[2])
        if call[1] != "bind":
            seen.local.update(_LOCAL.findall(line))
    return seen


@functools.cache
def way_in() -> list[str] | None:
    """The command that opens a namespace here; None where that is not permitted."""
    for command in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        if shutil.which("unshare"):
            done = subprocess.run([*command, "true"], capture_output=True, check=False)
            if done.returncode == 0:
                return command
    return None


def run_inside(kit: Path, key: Path, place: Path, levers: str) -> tuple[dict[str, Any], Watched]:
    """Install a kit there and walk the whole loop; what it said, and what was seen from outside."""
    inside = unpacked(kit, place / "kit")
    trace, command = place / "trace", way_in()
    assert command is not None
    python = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    driver = Path(__file__).with_name("inside_room.py")
    done = subprocess.run(
        [*command, "strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=network", "-e",
         "signal=none", "-s", "64", "-o", str(trace), str(python), "-I",
         str(driver), str(inside), str(key), str(place), levers],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(done.stderr[-5000:])
    said = json.loads((place / "said.json").read_text())
    return said, watched(trace.read_text(errors="replace"))


if __name__ == "__main__":
    where = Path(sys.argv[3]).resolve()
    where.mkdir(parents=True, exist_ok=True)
    levers = sys.argv[4] if len(sys.argv) > 4 else ""
    found, seen = run_inside(Path(sys.argv[1]), Path(sys.argv[2]).resolve(), where, levers)
    found.pop("answers"), found.pop("served")
    found |= {"off_loopback": seen.off_loopback, "local_sockets": sorted(seen.local)}
    json.dump(found, sys.stdout, indent=1)
