"""Run inside a network namespace without a route, under strace: the whole loop from a kit.

Only Python's own library: nothing is installed here yet. Usage: KIT_FOLDER KEY.pub PLACE LEVERS;
LEVERS is YAML that replaces the template's levers, or empty. Writes PLACE/said.json.
"""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

CONTROL = "192.0.2.1"
"""An address that is never routed (RFC 5737): reached for on purpose, to see that it is seen."""


def loopback_up() -> None:
    """Set the flag of the interface lo; there is no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        name = struct.pack("16sH14s", b"lo", 0, b"")
        flags = struct.unpack("16sH14s", fcntl.ioctl(handle, 0x8913, name))[1]
        fcntl.ioctl(handle, 0x8914, struct.pack("16sH14s", b"lo", flags | 1, b""))


def without_route() -> int:
    """How often this namespace's kernel found no route for a packet that something sent."""
    lines = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines()]
    names, values = (line for line in lines if line[0] == "Ip:")
    found = int(values[names.index("OutNoRoutes")])
    for line in Path("/proc/net/snmp6").read_text().splitlines():
        if line.startswith("Ip6OutNoRoutes"):
            found += int(line.split()[1])
    return found


def main(kit: Path, key: Path, place: Path, levers: str) -> None:
    loopback_up()
    for folder in ("home", "tmp", "work"):
        (place / folder).mkdir()
    os.environ.update(HOME=str(place / "home"), TMPDIR=str(place / "tmp"))
    os.chdir(place / "work")
    program, took = str(place / "wl" / "bin" / "whichlever"), {}

    def step(name: str, *command: str) -> None:
        began = time.monotonic()
        with (place / f"{name}.log").open("wb") as log:
            code = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT).returncode
        took[name] = round(time.monotonic() - began, 1)
        if code:
            raise SystemExit(f"{name}: exit {code}\n{(place / f'{name}.log').read_text()[-3000:]}")

    step("install", "sh", str(kit / "install.sh"), "--key", str(key), "--python", sys.executable,
         str(place / "wl"))  # fmt: skip
    step("init", program, "init", "--pack", "triage", "task")
    if levers:
        task = Path("task/task.yaml")
        task.write_text(task.read_text().partition("\nlevers:")[0] + f"\nlevers: {levers}\n")
    step("compare", program, "compare", "task/task.yaml", "-o", "run")
    step("pack", program, "pack", "run", "--lever", "linear", "-o", "model.wl")
    step("key", program, "sign", "--new-key", "mine")
    step("sign", program, "sign", "model.wl", "--key", "mine.key")
    step("verify", program, "verify", "model.wl", "--key", "mine.pub")
    rows = gzip.decompress(Path("task/data/alerts.jsonl.gz").read_bytes()).splitlines()[:200]
    Path("in.jsonl").write_bytes(b"\n".join(rows) + b"\n")
    step("run", program, "run", "model.wl", "--key", "mine.pub", "-i", "in.jsonl",
         "-o", "out.jsonl")  # fmt: skip
    served = serve(program, place, [json.loads(row) for row in rows[:64]])
    before = without_route()
    try:
        socket.create_connection((CONTROL, 80), timeout=5)
    except OSError as error:
        control = str(error)
    else:
        control = "reached"
    said = {
        "seconds": took,
        "served": served,
        "answers": [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()],
        "interfaces": sorted(name for _, name in socket.if_nameindex()),
        "without_route": before,
        "control": control,
        "without_route_after_control": without_route(),
        "home": files(place / "home"),
        "tmp": files(place / "tmp"),
        "work": files(place / "work"),
    }
    (place / "said.json").write_text(json.dumps(said))


def serve(program: str, place: Path, rows: list[Any]) -> list[Any]:
    """Ask a server on loopback, and stop it."""
    command = [program, "serve", "model.wl", "--key", "mine.pub", "--port", "0"]
    with (place / "serve.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
    try:
        port = None
        while port is None:
            time.sleep(0.1)
            if server.poll() is not None:
                raise SystemExit(f"serve ended: {(place / 'serve.log').read_text()[-3000:]}")
            for line in (place / "serve.log").read_text().splitlines():
                event = json.loads(line)
                port = event["port"] if event["event"] == "listening" else port
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/predict",
            json.dumps({"rows": rows}).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())["answers"]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def files(folder: Path) -> list[str]:
    """Every file below a folder."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
