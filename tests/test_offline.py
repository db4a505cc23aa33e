"""Offline is enforced; each case runs in its own interpreter, since an audit hook stays."""

from __future__ import annotations

import subprocess
import sys

import pytest

PRELUDE = "import socket\nfrom whichlever.offline import enforce\n"


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + code], capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.getaddrinfo('example.com', 443)",
        "socket.gethostbyname('example.com')",
        "socket.create_connection(('192.0.2.1', 80), timeout=1)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
        "import urllib.request; urllib.request.urlopen('http://example.com', timeout=1)",
    ],
)
def test_nothing_leaves_the_machine(attempt):
    done = run(f"enforce()\n{attempt}\n")
    assert done.returncode == 1
    assert "--allow-egress" in done.stderr


def test_loopback_works():
    code = (
        "enforce()\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "client = socket.create_connection(('localhost', server.getsockname()[1]), timeout=5)\n"
        "print('connected')\n"
    )
    assert run(code).stdout.strip() == "connected"


def test_an_allowed_address_is_let_through_and_others_are_not():
    # 192.0.2.0/24 is never routed (RFC 5737): the gate lets it pass and the kernel fails it.
    code = (
        "enforce(frozenset({'192.0.2.1'}))\n"
        "s = socket.socket(); s.settimeout(0.2)\n"
        "try:\n    s.connect(('192.0.2.1', 9))\n"
        "except OSError as error:\n    print(type(error).__name__)\n"
        "try:\n    socket.create_connection(('192.0.2.2', 9), timeout=0.2)\n"
        "except OSError as error:\n    print(type(error).__name__)\n"
    )
    names = run(code).stdout.split()
    assert names[0] != "EgressError"
    assert names[1] == "EgressError"


def test_hub_and_proxy_variables_are_set(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    code = (
        "import os\nenforce()\n"
        "print(os.environ.get('HF_HUB_OFFLINE'), os.environ.get('HTTPS_PROXY'))\n"
    )
    assert run(code).stdout.split() == ["1", "None"]
