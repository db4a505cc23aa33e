"""A live ``whichlever serve`` as a predictor: rows over HTTP, answers back; nothing else is asked.

Only the standard library speaks here: no proxy is honoured, no redirect followed, and an answer's
size is bounded. Off loopback the offline gate refuses the connection unless the host was allowed.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from whichlever.attack.surface import Recorded
from whichlever.errors import InputError, RunError
from whichlever.offline import is_loopback
from whichlever.predict import Prediction, Row

BATCH = 32
"""Rows in one request."""

MAX_ANSWER = 16 * 1024**2
TRIES = 6
LONGEST_WAIT = 30.0


class ServedPredictor:
    """Asks a server's ``/v1/predict``; a row with its record is sent as the record.

    Parameters
    ----------
    url
        Where it listens, as in ``http://127.0.0.1:8080``.
    key
        The API key, where it wants one.
    timeout
        Seconds for one request.

    Raises
    ------
    InputError
        The address is none, names another scheme, or a key would go in the clear to another host.
    """

    def __init__(self, url: str, key: str | None = None, timeout: float = 60.0) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise InputError(
                f"{url!r} is not an address ({error}); give http://HOST:PORT"
            ) from None
        if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
            raise InputError(f"{url!r} is not an address; give http://HOST:PORT")
        if key and parts.scheme == "http" and not is_loopback(host):
            raise InputError(
                f"{host}: an API key over plain http can be read on the way; use https"
            )
        self._host, self._port, self._path = host, port, parts.path.rstrip("/")
        self._tls, self._key, self._timeout = parts.scheme == "https", key, timeout
        self._connection: http.client.HTTPConnection | None = None
        self.labels: tuple[str, ...] = ()

    def check(self) -> Mapping[str, Any]:
        """What the server says that it is; it sets the label order of scores.

        Raises
        ------
        RunError
            It cannot be reached, refuses the key, or is no such server.
        """
        said = self._ask("GET", "/v1/model", None)
        labels = said.get("labels")
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise RunError(f"{self.name}: does not answer like whichlever serve; check the address")
        self.labels = tuple(labels)
        return said

    @property
    def name(self) -> str:
        """The address without path and key."""
        return f"{self._host}:{self._port}" if self._port else str(self._host)

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer rows in order; what a server refuses to read is an error row."""
        out: list[Prediction] = []
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            said = self._ask("POST", "/v1/predict", {"rows": [_sent(row) for row in part]})
            answers = said.get("answers")
            if not isinstance(answers, list) or len(answers) != len(part):
                raise RunError(
                    f"{self.name}: answered {type(answers).__name__} instead of a row each"
                )
            out += [self._read(row, a) for row, a in zip(part, answers, strict=True)]
        return out

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _read(self, row: Row, answer: Any) -> Prediction:  # noqa: ANN401 - a stranger's JSON
        if not isinstance(answer, dict) or "error" in answer:
            said = answer.get("error") if isinstance(answer, dict) else None
            return Prediction(row.id, None, None, "error", str(said)[:300])
        label, scores = answer.get("label"), answer.get("scores")
        vector = None
        if isinstance(scores, dict) and all(
            isinstance(scores.get(name), int | float) for name in self.labels
        ):
            vector = np.array([scores[name] for name in self.labels], dtype=np.float32)
        if answer.get("abstain") or not isinstance(label, str):
            return Prediction(row.id, None, vector, "handed")
        return Prediction(row.id, label, vector)

    def _ask(self, method: str, path: str, body: Any) -> dict[str, Any]:  # noqa: ANN401
        payload = None if body is None else json.dumps(body).encode("ascii")
        for attempt in range(TRIES):
            status, headers, raw = self._once(method, self._path + path, payload, attempt)
            if status in (429, 503):
                time.sleep(_wait(headers, attempt))
                continue
            if status == 401:
                raise RunError(f"{self.name}: wants an API key (HTTP 401); name one with --key-env")
            if status != 200:
                raise RunError(f"{self.name}: HTTP {status} at {path}; is it whichlever serve?")
            try:
                said = json.loads(raw)
            except (ValueError, RecursionError):
                said = None
            if not isinstance(said, dict):
                raise RunError(f"{self.name}: the answer at {path} is no JSON object")
            return said
        raise RunError(f"{self.name}: still busy after {TRIES} tries; raise its limits")

    def _once(
        self, method: str, path: str, payload: bytes | None, attempt: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        try:
            connection = self._connected()
            connection.request(method, path, payload, headers)
            response = connection.getresponse()
            raw = response.read(MAX_ANSWER + 1)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if isinstance(error, InputError):
                raise  # our own offline gate
            if attempt == 0:
                return 503, {"retry-after": "0"}, b""  # a connection kept too long: once more
            raise RunError(
                f"{self.name}: cannot be reached ({type(error).__name__}); start it with "
                "whichlever serve, or correct --against"
            ) from error
        if len(raw) > MAX_ANSWER:
            self.close()
            raise RunError(f"{self.name}: an answer of more than {MAX_ANSWER // 1024**2} MB")
        return response.status, {k.lower(): v for k, v in response.getheaders()}, raw

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            made = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
            self._connection = made(self._host, self._port, timeout=self._timeout)
        return self._connection


def _sent(row: Row) -> Any:  # noqa: ANN401 - a text or any record
    record = row.record if isinstance(row, Recorded) else None
    return row.text if record is None else record


def _wait(headers: Mapping[str, str], attempt: int) -> float:
    said = headers.get("retry-after", "")
    return min(LONGEST_WAIT, float(said) if said.isdecimal() else 0.5 * 2**attempt)
