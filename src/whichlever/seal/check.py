"""Whether a kit is what was sealed: every file against its checksum, and who signed them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from whichlever.bundle.keyring import Key, KeyRing
from whichlever.bundle.signature import check_digests, check_signature
from whichlever.errors import CheckFailed, InputError, NotTrusted
from whichlever.progress import Progress, Silent
from whichlever.seal.archive import Entry, read_tar
from whichlever.seal.format import MANIFEST, SIGNATURE, SUMS, SUMS_SIGNATURE, Kit

_UNSUMMED = frozenset({SUMS, SUMS_SIGNATURE, SIGNATURE})
_LINE = re.compile(r"([0-9a-f]{64})  (.{1,300})")


@dataclass(frozen=True)
class CheckedKit:
    """A kit whose files are what its checksums say.

    ``signer`` is whose signature was checked; None where no key was given. ``folder`` is what it
    unpacks to.
    """

    kit: Kit
    folder: str
    digests: Mapping[str, str]
    bytes: int
    signed: bool
    signer: Key | None


def check_kit(path: Path, key: Path | None = None, progress: Progress | None = None) -> CheckedKit:
    """Read a kit as a stream and check every file; nothing is unpacked or run.

    Parameters
    ----------
    key
        A public key or a key ring that says who may have signed it. Without one, only the
        kit's own checksums are compared: they tell damage, not forgery.

    Raises
    ------
    InputError
        It cannot be read, or is not a kit.
    CheckFailed
        A file is damaged, missing or one too many.
    NotTrusted
        The signature does not hold, or its key is unknown or revoked.
    """
    ring = None if key is None else KeyRing.load(key)
    folder, entries = _read(path, progress or Silent())
    where = str(path)
    digests = {name: entry.sha256 for name, entry in entries.items()}
    signer = None if ring is None else _signer(entries, digests, ring, where)
    sums = _small(entries, SUMS, where)
    if folder.rpartition("-")[2] != digests[SUMS][:8]:
        raise CheckFailed(f"{where}: its folder {folder} is not named after its {SUMS}")
    _compare(_listed(sums, where), digests, where)
    kit = Kit.from_bytes(_small(entries, MANIFEST, where))
    total = sum(entry.size for entry in entries.values())
    return CheckedKit(kit, folder, digests, total, SIGNATURE in entries, signer)


def _read(path: Path, progress: Progress) -> tuple[str, dict[str, Entry]]:
    entries: dict[str, Entry] = {}
    folder = ""
    try:
        size = path.stat().st_size
        with (
            path.open("rb") as tar,
            progress.step(f"checking {path.name} (MB)", total=size // 10**6) as step,
        ):
            for above, entry in read_tar(tar, str(path)):
                folder = above
                entries[entry.name] = entry
                step.advance(entry.size / 1e6)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    return folder, entries


def _signer(
    entries: Mapping[str, Entry], digests: Mapping[str, str], ring: KeyRing, where: str
) -> Key:
    if SIGNATURE not in entries:
        raise NotTrusted(f"{where}: is not signed; seal it with: whichlever seal --key NAME.key")
    signed = check_signature(_small(entries, SIGNATURE, where), ring, where)
    check_digests({n: d for n, d in digests.items() if n != SIGNATURE}, signed, where)
    return signed.key


def _small(entries: Mapping[str, Entry], name: str, where: str) -> bytes:
    entry = entries.get(name)
    if entry is None or entry.content is None:
        raise CheckFailed(f"{where}: {name} is {'missing' if entry is None else 'too large'}")
    return entry.content


def _listed(content: bytes, where: str) -> dict[str, str]:
    listed = {}
    for line in content.decode("utf-8", "replace").splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise CheckFailed(f"{where}: {SUMS} is damaged")
        listed[match[2]] = match[1]
    return listed


def _compare(listed: Mapping[str, str], digests: Mapping[str, str], where: str) -> None:
    here = digests.keys() - _UNSUMMED
    for name in sorted(here | listed.keys()):
        if name not in listed:
            raise CheckFailed(f"{where}: {name} is not in {SUMS}")
        if name not in here:
            raise CheckFailed(f"{where}: {name} is missing; it is in {SUMS}")
        if listed[name] != digests[name]:
            raise CheckFailed(f"{where}: {name} is not what {SUMS} says; copy the kit again")
