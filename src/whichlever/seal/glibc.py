"""The C library that a set of wheels needs, read from their names (PEP 600)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from packaging.utils import parse_wheel_filename

_LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_TAG = re.compile(r"manylinux_(\d+)_(\d+)_|(manylinux(?:1|2010|2014))_")


def needed_glibc(wheels: Iterable[str]) -> str | None:
    """The oldest glibc that every wheel runs on, e.g. ``2.28``; None where none needs one.

    A wheel that names no version (``linux_x86_64``, built here) needs this machine's.
    """
    newest: tuple[int, int] | None = None
    for wheel in wheels:
        needs = [_of_tag(tag.platform) for tag in parse_wheel_filename(wheel)[3]]
        known = [need for need in needs if need is not None]
        if known:
            newest = max(newest or (0, 0), min(known))
    return None if newest is None else f"{newest[0]}.{newest[1]}"


def _of_tag(platform: str) -> tuple[int, int] | None:
    match = _TAG.match(platform)
    if match is not None:
        return _LEGACY[match[3]] if match[3] else (int(match[1]), int(match[2]))
    return _here() if platform.startswith("linux_") else None


def _here() -> tuple[int, int] | None:
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (ValueError, OSError, AttributeError):  # another C library, or no confstr at all
        return None
    parts = version.split(".")
    return (int(parts[0]), int(parts[1])) if name == "glibc" and len(parts) > 1 else None
