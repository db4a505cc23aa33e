"""Wheels that were kept: taken as they are where they hold what is installed here."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from packaging.tags import sys_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from whichlever.errors import InputError
from whichlever.seal.installed import Installed
from whichlever.seal.repack import LEFT_OUT
from whichlever.seal.wheel import record_hash


def kept_wheels(folder: Path, packages: Sequence[Installed]) -> dict[str, Path]:
    """The wheels in a folder that fit: package name → file.

    What is installed as a link to its source is never taken from there.

    Raises
    ------
    InputError
        There is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"--wheels {folder}: is no folder")
    rank = {tag: i for i, tag in enumerate(sys_tags())}
    best: dict[tuple[str, Version], tuple[int, Path]] = {}
    for path in sorted(folder.glob("*.whl")):
        try:
            name, version, _, tags = parse_wheel_filename(path.name)
        except InvalidWheelFilename:
            continue
        fits = min((rank[tag] for tag in tags if tag in rank), default=None)
        if fits is not None:
            best[name, version] = min(best.get((name, version), (fits, path)), (fits, path))
    found = {}
    for one in packages:
        kept = best.get((one.name, Version(one.version)))
        if kept is not None and one.source is None:
            found[one.name] = kept[1]
    return found


def check_wheel(wheel: Path, one: Installed) -> None:
    """Compare every file in a wheel with what is installed from that version here.

    Raises
    ------
    InputError
        It cannot be read, or holds something else.
    """
    here = {file.name: file.hash for file in one.record if file.hash}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                first, _, rest = entry.filename.partition("/")
                moved = first.endswith(".data")  # installed elsewhere, scripts rewritten
                own = first.endswith(".dist-info") and rest in LEFT_OUT
                if entry.is_dir() or moved or own:
                    continue
                found = f"sha256={record_hash(archive.read(entry))}"
                if here.get(entry.filename) != found:
                    raise InputError(
                        f"{wheel}: its {entry.filename} is not the one installed here; install "
                        f"that wheel, or take it out of --wheels"
                    )
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{wheel}: cannot be read ({error})") from error
