"""The HTTP under the client: bounded, direct, and silent about this machine.

No proxy or key is read from the environment, no redirect is followed, a response has a largest
size and a deadline as a whole, and only the headers that the protocol needs are sent.
"""

from __future__ import annotations

import threading
import time
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from whichlever.errors import InputError, LLMGarbage

MAX_RESPONSE_BYTES = 8 * 2**20
"""An answer is a few tokens; anything larger is not one."""

_HEADERS = (b"host", b"authorization", b"content-type", b"content-length", b"accept")


class Meter:
    """Bytes sent by the current thread since `reset`, headers included."""

    def __init__(self) -> None:
        self._local = threading.local()

    def reset(self) -> None:
        """Begin counting at zero."""
        self._local.sent = 0

    def add(self, amount: int) -> None:
        """Count ``amount`` more bytes."""
        self._local.sent = self.sent + amount

    @property
    def sent(self) -> int:
        """Bytes sent by this thread since the last reset."""
        return int(getattr(self._local, "sent", 0))


def server_host(name: str, base_url: str) -> tuple[str, int | None]:
    """The host, in lower case, and the port (None: the scheme's own) of a server's address.

    Raises
    ------
    InputError
        It is not an address; ``name`` is what the line calls the server.
    """
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in ("http", "https"):
        raise InputError(
            f"llms.{name}.base_url: {base_url!r} is not a server's address; "
            "write http://HOST:PORT/v1"
        )
    return host, port


def http_client(server: str, seconds: float, meter: Meter) -> Any:  # noqa: ANN401 - httpx or httpx2
    """Make an HTTP client as the openai SDK takes it.

    Parameters
    ----------
    server
        What errors call it.
    seconds
        Longest wait for a connection, for a byte, and for a whole response.
    meter
        Counts what is sent.
    """
    import openai

    # The SDK moved from httpx to httpx2; take whichever one it stands on.
    base = openai.DefaultHttpxClient.__mro__[1]
    http = import_module(base.__module__.split(".")[0])

    class _Body(http.SyncByteStream):  # type: ignore[misc, name-defined]
        def __init__(self, body: Any, deadline: float) -> None:  # noqa: ANN401
            self.body, self.deadline = body, deadline

        def __iter__(self) -> Any:  # noqa: ANN401
            size = 0
            for chunk in self.body:
                size += len(chunk)
                if size > MAX_RESPONSE_BYTES:
                    raise LLMGarbage(
                        f"{server}: the answer is larger than {MAX_RESPONSE_BYTES} bytes; "
                        "is this an OpenAI-compatible server?"
                    )
                if time.monotonic() > self.deadline:
                    raise http.ReadTimeout("the whole answer took too long")
                yield chunk

        def close(self) -> None:
            self.body.close()

    class _Transport(http.HTTPTransport):  # type: ignore[misc, name-defined]
        def handle_request(self, request: Any) -> Any:  # noqa: ANN401
            kept = [(k, v) for k, v in request.headers.raw if k.lower() in _HEADERS]
            request.headers = http.Headers(
                # Compressed answers are not asked for: their unpacked size has no bound.
                [*kept, (b"accept-encoding", b"identity"), (b"user-agent", b"whichlever")]
            )
            body = request.content
            meter.add(len(body) + sum(len(k) + len(v) + 4 for k, v in request.headers.raw))
            response = super().handle_request(request)
            patience = request.extensions.get("timeout", {}).get("read") or seconds
            response.stream = _Body(response.stream, time.monotonic() + patience)
            return response

    return openai.DefaultHttpxClient(
        transport=_Transport(trust_env=False),
        timeout=http.Timeout(seconds),
        trust_env=False,
        follow_redirects=False,
    )
