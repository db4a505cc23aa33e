"""What a server is told when it starts."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from whichlever.errors import InputError


@dataclass(frozen=True)
class Settings:
    """Limits and places of one server.

    Attributes
    ----------
    bundle, shadow
        The bundle that answers, and one that answers silently beside it.
    key, allow_unsigned
        As for `whichlever.bundle.open_bundle`; both bundles are held to them.
    host, port
        Where it listens; 0 is any free port.
    api_keys
        File of hashed API keys; None asks for none, on loopback alone.
    max_body, max_rows
        Bytes and rows of one request.
    max_bodies
        Bytes of all requests in hand at once; beyond it requests get 429.
    max_waiting
        Rows that may wait to be answered; beyond it requests get 429.
    max_connections
        Connections at once; beyond it they get 503.
    batch, wait_ms
        Rows answered together at most, and how long a lone row waits for company (encoders).
    here_ms
        How long a batch of another model may keep the event loop instead of a thread.
    timeout
        Seconds after which a request that still waits gets 503.
    threads
        Cores for an encoder or a decoder.
    company, history, profiles, profile_key, threshold
        For a bundle that reads mail, as for ``whichlever mail scan``.
    documents
        Folder that answers of the chat are cited from; None cites nothing.
    log_inputs, retain_days
        Folder for inputs and answers, off unless given, and for how long they are kept.
    """

    bundle: Path
    key: Path | None = None
    allow_unsigned: bool = False
    shadow: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    api_keys: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    max_body: int = 4 * 2**20
    max_rows: int = 1_000
    max_waiting: int = 4_096
    max_bodies: int = 64 * 2**20
    max_connections: int = 1_000
    batch: int = 256
    wait_ms: float = 1.0
    here_ms: float = 10.0
    timeout: float = 10.0
    threads: int = 1
    company: Path | None = None
    history: Path | None = None
    profiles: Path | None = None
    profile_key: Path | None = None
    threshold: float = 0.5
    documents: Path | None = None
    log_inputs: Path | None = None
    retain_days: float = 7.0

    def check(self) -> None:
        """Refuse what would be unsafe.

        Raises
        ------
        InputError
            A bind that others can reach without keys, or half of a TLS pair.
        """
        if not is_loopback(self.host) and self.api_keys is None:
            raise InputError(
                f"--host {self.host} can be reached from outside; give --api-keys FILE "
                "(make one: whichlever serve-keys add FILE NAME)"
            )
        if (self.tls_cert is None) != (self.tls_key is None):
            raise InputError("--tls-cert and --tls-key go together")
        if (self.profiles is None) != (self.profile_key is None):
            raise InputError("--profiles and --profile-key go together")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
