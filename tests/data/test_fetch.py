"""Downloads: from allowed hosts only, checked before they stand where they belong."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from whichlever.data.fetch import fetch
from whichlever.errors import DataError, EgressError

BODY = b"label,text\n" * 5000
SHA = hashlib.sha256(BODY).hexdigest()
HERE = frozenset({"127.0.0.1"})


class Handler(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012 - one server, one list

    def do_GET(self) -> None:
        Handler.asked.append(self.path)
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/file")
            self.end_headers()
        elif self.path == "/moved":
            self.send_response(301)
            self.send_header("Location", "/file")
            self.end_headers()
        elif self.path == "/local":
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
        elif self.path == "/gone":
            self.send_error(404)
        else:
            self.send_response(200)
            if self.path != "/endless":
                self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            if self.path == "/cut":
                self.wfile.write(BODY[:100])
            elif self.path == "/slow":
                for i in range(20):
                    self.wfile.write(BODY[i : i + 1])
                    self.wfile.flush()
                    time.sleep(0.1)
            else:
                self.wfile.write(BODY)

    def log_message(self, *args: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up on purpose is no error of these tests."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    httpd = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_a_file_is_fetched_once(server: str, tmp_path: Path) -> None:
    into = tmp_path / "deep" / "file.csv"
    assert fetch(f"{server}/file", SHA.upper(), into, HERE) == into
    assert into.read_bytes() == BODY
    Handler.asked.clear()
    fetch(f"{server}/file", SHA, into, HERE)
    assert Handler.asked == []
    assert [p.name for p in into.parent.iterdir()] == ["file.csv"]


def test_a_redirect_on_the_same_host_is_followed(server: str, tmp_path: Path) -> None:
    assert fetch(f"{server}/moved", SHA, tmp_path / "f", HERE).read_bytes() == BODY


def test_the_proxy_of_the_environment_is_not_asked(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert fetch(f"{server}/file", SHA, tmp_path / "f", HERE).is_file()


@pytest.mark.parametrize(
    ("path", "sha", "limit", "seconds", "said"),
    [
        ("/file", "0" * 64, 1 << 20, 60.0, "SHA-256 is"),
        ("/file", "xyz", 1 << 20, 60.0, "not 64 hexadecimal digits"),
        ("/file", SHA, 1000, 60.0, "more than the limit of 1000"),
        ("/endless", SHA, 1000, 60.0, "more than the limit of 1000"),
        ("/gone", SHA, 1 << 20, 60.0, "answers 404"),
        ("/cut", SHA, 1 << 20, 60.0, "ended after 100 of 55000 bytes|cannot be fetched"),
        ("/slow", SHA, 1 << 20, 0.3, "not finished|cannot be fetched"),
    ],
)
def test_what_is_not_the_file_leaves_nothing(
    server: str, tmp_path: Path, path: str, sha: str, limit: int, seconds: float, said: str
) -> None:
    into = tmp_path / "f"
    into.write_bytes(b"what stood here before")
    with pytest.raises(DataError, match=said):
        fetch(server + path, sha, into, HERE, max_bytes=limit, seconds=seconds)
    assert [p.name for p in tmp_path.iterdir()] == ["f"]
    assert into.read_bytes() == b"what stood here before"


@pytest.mark.parametrize("path", ["/elsewhere", "/local"])
def test_a_redirect_elsewhere_is_refused(server: str, tmp_path: Path, path: str) -> None:
    with pytest.raises((EgressError, DataError)):
        fetch(server + path, SHA, tmp_path / "f", HERE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://example.invalid/f", "--allow-egress example.invalid"),
        ("http://example.invalid/f", "only https"),
        ("ftp://127.0.0.1/f", "only https"),
        ("file:///etc/hostname", "not a URL"),
        ("https://me:secret@127.0.0.1/f", "password"),
        ("https://[bad/f", "not a URL"),
        ("file", "not a URL"),
    ],
)
def test_nothing_is_sent_where_it_is_not_allowed(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises((EgressError, DataError), match=said) as caught:
        fetch(url, SHA, tmp_path / "f", HERE)
    assert "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be fetched"):
        fetch("http://127.0.0.1:9/f", SHA, tmp_path / "f", HERE)
