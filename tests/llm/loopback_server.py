"""A small real HTTP server on loopback that answers as it is told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes]


def completion(text: str, top: list[tuple[str, float]] | None = None, **usage: Any) -> Answer:
    choice: dict[str, Any] = {"message": {"content": text}, "finish_reason": "stop"}
    if top is not None:
        rivals = [{"token": token, "logprob": p} for token, p in top]
        choice["logprobs"] = {"content": [{"token": text, "top_logprobs": rivals}]}
    body = {
        "choices": [choice],
        "usage": {"prompt_tokens": 10, "completion_tokens": 1, **usage},
    }
    return 200, {"content-type": "application/json"}, json.dumps(body).encode()


class LoopbackServer:
    """Calls ``answer(body)`` for each chat request and keeps what it was sent."""

    def __init__(self, answer: Callable[[dict[str, Any]], Answer]) -> None:
        self.seen: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_error(404)

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                body = json.loads(self.rfile.read(length))
                outer.seen.append(body)
                outer.headers.append({k.lower(): v for k, v in self.headers.items()})
                status, headers, raw = answer(body)
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                drip = float(headers.get("x-drip", 0))
                try:
                    for i in range(0, len(raw), 1 if drip else len(raw) or 1):
                        self.wfile.write(raw[i : i + 1] if drip else raw)
                        self.wfile.flush()
                        time.sleep(drip)
                except OSError:
                    pass  # the client went away, as some tests mean it to

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
