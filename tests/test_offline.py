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
        "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('192.0.2.1', 53))",
        "socket.gethostbyaddr('192.0.2.1')",
        "socket.gethostbyname_ex('example.com')",
        "socket.getnameinfo(('192.0.2.1', 80), 0)",
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


def test_the_hubs_native_client_stays_off_even_where_a_host_is_allowed():
    code = (
        "import os\nenforce(frozenset({'hub.invalid'}))\nprint(os.environ['HF_HUB_DISABLE_XET'])\n"
    )
    assert run(code).stdout.split() == ["1"]


def test_a_look_up_under_way_opens_the_gate_to_no_other_thread():
    code = (
        "import threading\n"
        "enforce(frozenset({'allowed.invalid'}))\n"
        "inside, tried = threading.Event(), threading.Event()\n"
        "def slow(*_):\n"
        "    inside.set(); tried.wait(10)\n"
        "    return []\n"
        "real, socket.getaddrinfo = socket.getaddrinfo, slow\n"
        "from whichlever import offline\n"
        "look = threading.Thread(target=offline._GATE._name, args=('allowed.invalid',))\n"
        "look.start(); inside.wait(10)\n"
        "try:\n    real('example.com', 80)\n"
        "except OSError as error:\n    print(type(error).__name__)\n"
        "tried.set(); look.join()\n"
    )
    assert run(code).stdout.split() == ["EgressError"]


def test_sending_on_loopback_and_its_reverse_look_up_work():
    code = (
        "enforce()\n"
        "there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); there.bind(('127.0.0.1', 0))\n"
        "here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "here.sendmsg([b'x'], [], 0, there.getsockname())\n"
        "socket.getnameinfo(('127.0.0.1', 80), 0)\n"
        "print(there.recv(1))\n"
    )
    assert run(code).stdout.split() == ["b'x'"]


def test_a_block_is_offline_and_afterwards_all_is_as_before():
    code = (
        "import os\nfrom whichlever.offline import enforced\n"
        "def reach():\n"
        "    try:\n        socket.create_connection(('192.0.2.1', 9), timeout=0.2)\n"
        "    except OSError as error:\n        print(type(error).__name__)\n"
        "with enforced():\n    reach()\n    print(os.environ.get('HTTPS_PROXY'))\n"
        "reach()\nprint(os.environ.get('HTTPS_PROXY'), os.environ.get('HF_HUB_OFFLINE'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/bin", "HTTPS_PROXY": "http://p.invalid"},
    )
    lines = done.stdout.splitlines()
    assert lines[:2] == ["EgressError", "None"], done.stderr
    assert lines[2] != "EgressError"
    assert lines[3] == "http://p.invalid None"
