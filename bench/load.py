"""Load for a live server: saturation by wrk with every answer checked, and arrivals at a rate.

`saturate` keeps every connection busy: throughput. `arrivals` sends at random times whatever the
server does (Poisson), and counts from when a request was due, not from when a connection was free:
latency as users meet it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LABEL = re.compile(rb'"label":("(?:[^"\\]|\\.)*"|null)')
"""What is compared in an answer; scores can differ in their last digit with a row's companions."""

SCRIPT = """
local bodies, expected = {}, {}
local made, at, shown = {}, 0, false
checked, wrong = 0, 0 -- global: read from outside the thread
for line in io.lines("BODIES") do bodies[#bodies + 1] = line end
for line in io.lines("EXPECTED") do expected[#expected + 1] = line end
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init()
  for i, body in ipairs(bodies) do
    made[i] = wrk.format("POST", "PATH",
      {["Content-Type"] = "application/json", ["X-Request-ID"] = tostring(i)}, body)
  end
end
function request()
  at = at % #made + 1
  return made[at]
end
function response(status, headers, body)
  checked = checked + 1
  local said = {}
  if status == 200 then
    for label in string.gmatch(body, '"label":("[^"]*")') do said[#said + 1] = label end
  end
  if table.concat(said, ",") ~= expected[tonumber(headers["x-request-id"] or "0")] then
    wrong = wrong + 1
    if not shown then shown = true; io.write("FIRST WRONG " .. status .. " " .. body .. "\\n") end
  end
end
function done(summary, latency, requests)
  local all, bad = 0, 0
  for _, t in ipairs(threads) do all = all + t:get("checked"); bad = bad + t:get("wrong") end
  local e = summary.errors
  io.write(string.format("CHECKED %d WRONG %d BROKEN %d MICROSECONDS %d\\n", all, bad,
    e.connect + e.read + e.write + e.timeout, summary.duration))
end
"""
CHECKED = re.compile(r"CHECKED (\d+) WRONG (\d+) BROKEN (\d+) MICROSECONDS (\d+)")


@dataclass(frozen=True)
class Checked:
    """What wrk saw."""

    requests: int
    wrong: int
    broken: int
    seconds: float


def saturate(
    port: int,
    bodies: Sequence[bytes],
    expected: Sequence[str],
    seconds: float,
    connections: int = 16,
    path: str = "/v1/predict",
) -> Checked:
    """Keep ``connections`` busy for some seconds, and compare every answer.

    ``expected`` is a body's labels as JSON, with commas between (`labels_in`). Every thread of wrk
    asks its bodies in turn and knows an answer by the request's id that comes back with it.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        (made / "bodies").write_bytes(b"\n".join(bodies) + b"\n")
        (made / "expected").write_text("\n".join(expected) + "\n")
        script = SCRIPT.replace("BODIES", str(made / "bodies")).replace("PATH", path)
        script = script.replace("EXPECTED", str(made / "expected"))
        (made / "check.lua").write_text(script)
        done = subprocess.run(
            ["wrk", "-t", "1", "-c", str(connections), "-d", f"{max(1, round(seconds))}s",
             "--timeout", "30s", "-s", str(made / "check.lua"), f"http://127.0.0.1:{port}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    found = CHECKED.search(done.stdout)
    if found is None:
        raise RuntimeError(done.stdout + done.stderr)
    requests, wrong, broken, micros = map(int, found.groups())
    if wrong or broken:
        print(done.stdout, file=sys.stderr)
    return Checked(requests, wrong, broken, micros / 1e6)


def labels_in(answer: bytes) -> str:
    """The labels of an answer's body, as `saturate` compares them."""
    return b",".join(LABEL.findall(answer)).decode()


class _Connection(asyncio.Protocol):
    """One keep-alive connection with one request on its way at a time."""

    def __init__(self, free: deque[_Connection], load: _Load) -> None:
        self.free, self.load = free, load
        self.held = b""
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def send(self, due: float, request: bytes) -> None:
        self.due = due
        self.transport.write(request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.held += data
        head, found, body = self.held.partition(b"\r\n\r\n")
        if not found or len(body) < int(_length(head)):
            return
        self.held = b""
        self.load.answered(self, head.startswith(b"HTTP/1.1 200 "))


def _length(head: bytes) -> bytes:
    return re.search(rb"(?i)content-length: (\d+)", head)[1]  # type: ignore[index]


class _Load:
    def __init__(self, requests: Sequence[bytes]) -> None:
        self.requests = requests
        self.free: deque[_Connection] = deque()
        self.waiting: deque[float] = deque()
        self.seconds: list[float] = []
        self.failed = self.sent = 0

    def arrive(self, due: float) -> None:
        if self.free:
            self._send(self.free.popleft(), due)
        else:
            self.waiting.append(due)

    def _send(self, one: _Connection, due: float) -> None:
        one.send(due, self.requests[self.sent % len(self.requests)])
        self.sent += 1

    def answered(self, one: _Connection, well: bool) -> None:
        self.seconds.append(time.perf_counter() - one.due)
        self.failed += not well
        if self.waiting:
            self._send(one, self.waiting.popleft())
        else:
            self.free.append(one)


async def _arrivals(
    port: int, requests: Sequence[bytes], rate: float, seconds: float, connections: int
) -> tuple[list[float], int]:
    loop = asyncio.get_running_loop()
    load = _Load(requests)
    for _ in range(connections):
        _, one = await loop.create_connection(
            lambda: _Connection(load.free, load), "127.0.0.1", port
        )
        load.free.append(one)
    rng = random.Random(7)
    due = began = time.perf_counter()
    while due < began + seconds:
        due += rng.expovariate(rate)
        pause = due - time.perf_counter()
        await asyncio.sleep(max(pause, 0.0))
        load.arrive(due)
    for _ in range(200):
        if len(load.free) == connections:
            break
        await asyncio.sleep(0.05)
    for one in load.free:
        one.transport.close()
    return load.seconds, load.failed + (load.sent - len(load.seconds))


def arrivals(
    port: int, requests: Sequence[bytes], rate: float, seconds: float, connections: int = 128
) -> tuple[list[float], int]:
    """Send whole HTTP requests at ``rate`` a second.

    Returns
    -------
    seconds : list of float
        From when each was due to when its answer was there.
    failed : int
        Answers that were not 200, and requests that got none.
    """
    import uvloop

    return uvloop.run(_arrivals(port, requests, rate, seconds, connections))


def post(path: str, body: bytes) -> bytes:
    """An HTTP request for `arrivals`."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


@dataclass
class Served:
    """A server of its own process."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Of all its threads, until now."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Resident now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def served(bundle: Path, *options: str) -> Iterator[Served]:
    """Serve a bundle until the block ends; its log goes nowhere once it listens."""
    command = [sys.executable, "-m", "whichlever", "serve", str(bundle), "--port", "0", *options]
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen(command, stderr=log)
        try:
            port = None
            while port is None:
                if process.poll() is not None:
                    raise RuntimeError(Path(log.name).read_text())
                time.sleep(0.05)
                for line in Path(log.name).read_text().splitlines():
                    if '"listening"' in line:
                        port = json.loads(line)["port"]
            yield Served(port, process.pid)
        finally:
            process.terminate()
            process.wait(60)
