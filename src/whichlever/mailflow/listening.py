"""Where a milter listens, in the words that mail servers use: ``inet:HOST:PORT``, ``unix:PATH``."""

from __future__ import annotations

import contextlib
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from whichlever.errors import InputError
from whichlever.offline import is_loopback


@dataclass(frozen=True)
class Listen:
    """An address to listen at; ``path`` for a Unix socket, else ``host`` and ``port``."""

    host: str = ""
    port: int = 0
    path: Path | None = None
    mode: int = 0o660

    @classmethod
    def parse(cls, said: str, *, remote: bool = False, mode: int = 0o660) -> Listen:
        """Read ``inet:HOST:PORT``, ``inet:PORT@HOST`` or ``unix:PATH``.

        Raises
        ------
        InputError
            It is none of these, or other machines could reach it and ``remote`` is not set: the
            protocol knows neither keys nor encryption.
        """
        kind, _, rest = said.partition(":")
        if kind == "unix" and rest:
            return cls(path=Path(rest), mode=mode)
        host, _, port = rest.rpartition(":")
        if "@" in rest:
            port, _, host = rest.partition("@")
        host = host.strip("[]")
        if kind not in ("inet", "inet6") or not host or not port.isdecimal() or int(port) > 65535:
            raise InputError(f"--listen {said}: give inet:127.0.0.1:PORT or unix:PATH")
        if not remote and not is_loopback(host):
            raise InputError(
                f"--listen {said} can be reached from outside, and milters know no password; "
                "listen on loopback or unix:PATH, or add --remote behind a firewall"
            )
        return cls(host=host, port=int(port))

    def open(self) -> socket.socket:
        """A socket that listens there.

        Raises
        ------
        InputError
            The place is taken or not allowed.
        """
        if self.path is not None:
            return self._open_unix(self.path)
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((self.host, self.port))
        except OSError as error:
            sock.close()
            said = f"inet:{self.host}:{self.port}: cannot listen there ({error.strerror})"
            raise InputError(said) from None
        return sock

    def _open_unix(self, path: Path) -> socket.socket:
        if path.exists():
            if not stat.S_ISSOCK(path.stat().st_mode):
                raise InputError(f"{path} is there and no socket; give another path")
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
                try:
                    other.connect(str(path))
                except OSError:
                    path.unlink()  # left behind by one that was killed
                else:
                    raise InputError(f"{path}: another milter listens there")
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.bind(str(path))
            path.chmod(self.mode)
        except OSError as error:
            sock.close()
            raise InputError(f"unix:{path}: cannot listen there ({error})") from None
        return sock

    def said(self, sock: socket.socket) -> str:
        """Where it listens, the port that was found included."""
        if self.path is not None:
            return f"unix:{self.path}"
        host, port = sock.getsockname()[:2]
        return f"inet:{host}:{port}"

    def closed(self) -> None:
        """Remove the Unix socket's file."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()
