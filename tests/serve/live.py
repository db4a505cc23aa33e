"""A real server in its own process on a free loopback port, for tests."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx


@dataclass
class Live:
    """A running server: its address, its process, and what it logged so far."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    log: IO[bytes]

    def events(self) -> list[dict[str, Any]]:
        """Every line it has logged."""
        self.log.seek(0)
        whole = [line for line in self.log if line.startswith(b"{") and line.endswith(b"}\n")]
        return [json.loads(line) for line in whole]

    def wait_for(self, event: str, count: int = 1) -> dict[str, Any]:
        """The ``count``-th line of this kind, within a minute."""
        for _ in range(1_200):
            found = [e for e in self.events() if e["event"] == event]
            if len(found) >= count:
                return found[count - 1]
            if self.process.poll() is not None and not found:
                break
            time.sleep(0.05)
        self.log.seek(0)
        raise AssertionError(f"no {event}: {self.log.read()[-2000:]!r}")

    def predict(self, rows: list[Any], **more: Any) -> httpx.Response:
        """Ask."""
        return httpx.post(f"{self.url}/v1/predict", json={"rows": rows, **more}, trust_env=False)


@contextmanager
def serving(bundle: Path, *more: str) -> Iterator[Live]:
    """Serve a bundle until the block ends."""
    command = [sys.executable, "-m", "whichlever", "serve", str(bundle), "--port", "0", *more]
    if "--key" not in more:
        command.append("--allow-unsigned")
    with tempfile.NamedTemporaryFile() as written, Path(written.name).open("rb") as log:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=written)
        live = Live("", 0, process, log)
        try:
            live.port = live.wait_for("listening")["port"]
            live.url = f"http://127.0.0.1:{live.port}"
            yield live
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
