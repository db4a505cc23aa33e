"""Where syslog is listened for: ``udp://127.0.0.1:5514``, ``tcp://[::1]:601``."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from whichlever.errors import InputError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Address:
    """A place to listen at; port 0 takes a free one."""

    kind: Literal["udp", "tcp"]
    host: str
    port: int

    def __str__(self) -> str:
        """As ``--listen`` takes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{host}:{self.port}"

    def bind(self) -> socket.socket:
        """A bound socket.

        Raises
        ------
        InputError
            The port is taken, or the address is not of this machine.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        how = socket.SOCK_DGRAM if self.kind == "udp" else socket.SOCK_STREAM
        made = socket.socket(family, how)
        try:
            if self.kind == "tcp":
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((self.host, self.port))
        except OSError as error:
            made.close()
            raise InputError(f"{self}: cannot listen there ({error.strerror or error})") from error
        return made


def address_of(said: str) -> Address:
    """What ``--listen`` says; without a host this machine only.

    Raises
    ------
    InputError
        It is no such address.
    """
    try:
        parts = urlsplit(said)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    kind, host = parts.scheme, parts.hostname or LOOPBACK
    if kind not in ("udp", "tcp") or port is None or parts.path.strip("/"):
        raise InputError(
            f"--listen {said[:80]!r}: give udp://HOST:PORT or tcp://HOST:PORT, as in "
            "udp://127.0.0.1:5514"
        )
    if host == "localhost":
        host = LOOPBACK
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except OSError:
        raise InputError(f"--listen {said[:80]!r}: give the host as an address") from None
    return Address("udp" if kind == "udp" else "tcp", host, port)
