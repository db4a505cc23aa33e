"""Offline, enforced: nothing leaves this machine unless the user named the host.

Hub and proxy variables are set before anything heavy is imported, and an audit hook (which
Python cannot remove again) refuses look-ups of names and connections off loopback. Native code
and child processes do not ask Python; for them the proof is made from outside.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from whichlever.errors import EgressError

_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",  # a native client, which asks no audit hook
    "DO_NOT_TRACK": "1",
    "ORT_DISABLE_TELEMETRY": "1",  # native, too (whichlever.infer.onnx_runtime)
    "ORT_TELEMETRY_DISABLED": "1",
}
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "no_proxy")
"""Variables, in lower case, by which programs are sent through another host."""

_TO_ADDRESS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_BY_NAME = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})


class _Gate:
    """Which hosts may be reached; one per process, since audit hooks stay for good."""

    def __init__(self) -> None:
        self.installed = False
        self.active = False
        self.hosts: frozenset[str] = frozenset()
        self.addresses: set[str] = set()
        self._own = threading.local()

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.active or not event.startswith("socket."):
            return
        if getattr(self._own, "resolving", False):
            return
        if event in _TO_ADDRESS:
            self._address(args[0], args[1])
        elif event in _BY_NAME:
            self._name(args[0])
        elif event == "socket.getnameinfo":
            self._name(args[0][0])

    def _name(self, host: object) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if name is None or not isinstance(name, str) or is_loopback(name):
            return
        if name.lower() not in self.hosts:
            if name not in self.addresses:
                raise _refusal(name)
            return
        self._own.resolving = True  # this thread's own look-up must not meet this gate again
        try:
            found = socket.getaddrinfo(name, None)
        except OSError:
            return  # the caller's own look-up fails in the same way, with its own error
        finally:
            self._own.resolving = False
        self.addresses.update(str(entry[4][0]) for entry in found)

    def _address(self, sock: Any, address: object) -> None:  # noqa: ANN401 - socket.socket
        if sock.family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
            return
        host = str(address[0])
        if is_loopback(host) or host in self.addresses or host.lower() in self.hosts:
            return
        raise _refusal(host)


_GATE = _Gate()


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host.lower() in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


def _refusal(host: str) -> EgressError:
    return EgressError(f"refused to reach {host}: offline; allow it with --allow-egress {host}")


def enforce(allow: frozenset[str] = frozenset()) -> None:
    """Refuse every connection and look-up off this machine but those to ``allow``.

    Parameters
    ----------
    allow
        Host names or addresses, lower case. A second call replaces the first one's.
    """
    for name in [n for n in os.environ if n.lower() in PROXIES]:
        del os.environ[name]
    os.environ.update(_OFFLINE)
    if allow:
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
            os.environ[name] = "0"
    _GATE.hosts = frozenset(host.lower() for host in allow)
    _GATE.addresses = set()
    _GATE.active = True
    if not _GATE.installed:
        sys.addaudithook(_GATE)
        _GATE.installed = True


@contextmanager
def enforced(allow: frozenset[str] = frozenset()) -> Iterator[None]:
    """Be offline, as `enforce` says, until the block ends; then all is as it was before.

    For library use: a notebook may go on to fetch what it likes. It counts for the whole process.
    """
    environment = dict(os.environ)
    state = (_GATE.hosts, _GATE.addresses, _GATE.active)
    enforce(allow)
    try:
        yield
    finally:
        _GATE.hosts, _GATE.addresses, _GATE.active = state
        for name in {*_OFFLINE, *(n for n in environment if n.lower() in PROXIES)}:
            if name in environment:
                os.environ[name] = environment[name]
            else:
                os.environ.pop(name, None)
