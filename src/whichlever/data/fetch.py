"""Public sets from their publishers, by URL and pinned checksum; never unasked."""

from __future__ import annotations

import hashlib
import os
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from whichlever.errors import DataError, EgressError
from whichlever.progress import Progress, Silent

MAX_BYTES = 4 * 1024**3
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_BLOCK = 1 << 16


def fetch(
    url: str,
    sha256: str,
    into: Path,
    allow_egress: frozenset[str],
    *,
    max_bytes: int = MAX_BYTES,
    seconds: float = 3600.0,
    progress: Progress | None = None,
) -> Path:
    """Download one file, check it, and only then put it in its place.

    Nothing is sent if the file is there already with the right checksum. Proxies and credentials
    in the environment are not used.

    Parameters
    ----------
    url
        Over https; plain http only from this machine.
    sha256
        64 hexadecimal digits.
    into
        Where the file goes; a wrong or cut download leaves nothing there.
    allow_egress
        Hosts that may be asked; redirects must stay on the one of ``url``.
    max_bytes, seconds
        Limits on the size and on the time of the whole download.

    Raises
    ------
    EgressError
        The host is not allowed, the scheme is not https, or it redirects to another host.
    DataError
        It cannot be had, is too large or too slow, or is not the file that was pinned.
    """
    host = _allowed_host(url, allow_egress)
    pinned = sha256.strip().lower()
    if len(pinned) != 64 or set(pinned) - set("0123456789abcdef"):
        raise DataError(f"{url}: the pinned SHA-256 {sha256[:80]!r} is not 64 hexadecimal digits")
    if into.is_file() and _sha256(into) == pinned:
        return into
    into.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{into.name}.", suffix=".part", dir=into.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            found = _download(url, host, file, max_bytes, seconds, progress or Silent())
            file.flush()
            os.fsync(file.fileno())
        if found != pinned:
            raise DataError(
                f"{url}: its SHA-256 is {found}, pinned is {pinned}; the publisher changed it or "
                "the download was tampered with: nothing was kept"
            )
        part.replace(into)
    finally:
        part.unlink(missing_ok=True)
    return into


def _allowed_host(url: str, allow_egress: frozenset[str]) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise DataError(f"{url[:200]!r} is not a URL ({error})") from error
    if not host:
        raise DataError(f"{url[:200]!r} is not a URL (https://HOST/PATH)")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise EgressError(f"{url}: only https is fetched; give an https:// address")
    if parts.username is not None or parts.password is not None:
        raise EgressError(f"{host}: a URL with a password in it is not fetched; remove it")
    if host not in allow_egress:
        raise EgressError(f"{host} may not be reached; allow it with --allow-egress {host}")
    return host


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows redirects only to the same scheme and host."""

    max_redirections = 5

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            raise EgressError(
                f"{old.hostname} redirects to {new.hostname or newurl[:80]!r}, which was not asked "
                "for; give the final address and allow its host"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(
    url: str, host: str, file: IO[bytes], max_bytes: int, seconds: float, progress: Progress
) -> str:
    """Write the body to ``file``; its SHA-256 as hexadecimal digits."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        _SameHost(),
    )
    digest, size, until = hashlib.sha256(), 0, time.monotonic() + seconds
    # Nothing compressed on the way: the limit is on the bytes that are kept.
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        url, headers={"User-Agent": "whichlever", "Accept-Encoding": "identity"}
    )
    try:
        with opener.open(request, timeout=min(30.0, seconds)) as reply:
            declared = reply.headers.get("Content-Length", "")
            total = int(declared) if declared.isdigit() else None
            if total is not None and total > max_bytes:
                raise DataError(f"{url}: {total} bytes, more than the limit of {max_bytes}")
            with progress.step(f"fetch {host}", total) as step:
                # One receive at a time, so that a server that drips cannot outlast the clock.
                while block := reply.read1(_BLOCK):
                    size += len(block)
                    if size > max_bytes:
                        raise DataError(f"{url}: more than the limit of {max_bytes} bytes")
                    if time.monotonic() > until:
                        raise DataError(f"{url}: not finished after {seconds:g} s; try again later")
                    digest.update(block)
                    file.write(block)
                    step.advance(len(block))
    except EgressError:
        raise
    except urllib.error.HTTPError as error:
        with error:
            raise DataError(f"{url}: the server answers {error.code} ({error.reason})") from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(f"{url}: cannot be fetched ({reason}); check the address") from error
    if total is not None and size != total:
        raise DataError(f"{url}: ended after {size} of {total} bytes; try again")
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
