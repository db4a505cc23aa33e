"""A wheel again from what was installed: every file checked against its record, then zipped.

So a kit can be made where no index is reached and no wheel was kept, and holds exactly the files
that were tested here. Its bytes are not those of the published wheel, and the kit says so.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from whichlever.errors import InputError
from whichlever.seal.installed import Installed, Recorded
from whichlever.seal.own_wheel import own_wheel
from whichlever.seal.wheel import WheelFile, record_hash

LEFT_OUT = frozenset(
    {"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"}
)
"""What installing writes into a ``.dist-info`` folder, or has no place in a new wheel."""


def repack(one: Installed, folder: Path, level: int = 6) -> Path:
    """Write the wheel of an installed distribution; equal files give an equal wheel.

    Parameters
    ----------
    level
        How hard it is compressed, 1 to 9.

    Raises
    ------
    InputError
        A file is missing or was changed since it was installed, or the distribution was not
        installed from a wheel.
    """
    if one.source is not None:
        return own_wheel(one, folder, level)
    info = _info_folder(one)
    path = folder / f"{info.removesuffix('.dist-info')}-{_tags(one)}.whl"
    with WheelFile(path, info, level) as wheel:
        for name, content, mode in _contents(one, info):
            wheel.add(name, content, mode)
    return path


def _contents(one: Installed, info: str) -> Iterator[tuple[str, bytes, int]]:
    """Name in the wheel, content and mode of every file; the ``.dist-info`` stands last."""
    scripts = {
        point.name
        for point in one.distribution.entry_points
        if point.group in ("console_scripts", "gui_scripts")
    }
    found = []
    for file in one.record:
        posix = PurePosixPath(file.name.replace(os.sep, "/"))
        if posix.suffix == ".pyc" or (posix.parts[0] == info and posix.name in LEFT_OUT):
            continue
        outside = posix.is_absolute() or posix.parts[0] == ".."
        name = _outside(one, file, info, scripts) if outside else str(posix)
        if name is not None:
            found.append((name.startswith(f"{info}/"), name, file))
    for _, name, file in sorted(found):
        content, mode = _checked(one, file)
        if ".data/scripts/" in name:
            content = re.sub(rb"\A#![^\n]*python[^\n]*", b"#!python", content)
        yield name, content, 0o755 if mode & 0o100 else 0o644


def _checked(one: Installed, file: Recorded) -> tuple[bytes, int]:
    """A file's content, which is what its record says, and its mode."""
    real = one.locate(file.name)
    try:
        content, mode = real.read_bytes(), real.stat().st_mode
    except OSError as error:
        raise InputError(f"{one.pin}: {file.name} is missing; {_remedy(one)}") from error
    if not file.hash.startswith("sha256="):
        raise InputError(f"{one.pin}: {file.name} has no checksum in its record; {_remedy(one)}")
    if f"sha256={record_hash(content)}" != file.hash:
        raise InputError(
            f"{one.pin}: {file.name} was changed since it was installed; {_remedy(one)}"
        )
    return content, mode


def _outside(one: Installed, file: Recorded, info: str, scripts: set[str]) -> str | None:
    """Where a wheel keeps a file that was installed beside site-packages; None: made anew."""
    real = Path(os.path.normpath(one.locate(file.name)))
    try:
        inside = real.relative_to(os.path.normpath(sys.prefix))
    except ValueError:
        raise InputError(f"{one.pin}: {file.name} lies outside {sys.prefix}") from None
    data = info.removesuffix(".dist-info") + ".data"
    if inside.parts[0] in ("bin", "Scripts"):
        plain = inside.name.removesuffix(".exe").removesuffix("-script.py")
        # pip writes one more script for itself, which names the Python that it was made for.
        made = plain in scripts or (one.name == "pip" and re.fullmatch(r"pip[\d.]*", plain))
        return None if made else f"{data}/scripts/{inside.name}"
    return f"{data}/data/{inside.as_posix()}"


def _info_folder(one: Installed) -> str:
    for file in one.record:
        folder, _, name = file.name.replace(os.sep, "/").rpartition("/")
        if name == "WHEEL" and folder.endswith(".dist-info"):
            return folder
    raise InputError(f"{one.pin}: was not installed from a wheel; {_remedy(one)}")


def _tags(one: Installed) -> str:
    said = one.distribution.read_text("WHEEL") or ""
    tags = [line[4:].strip().split("-") for line in said.splitlines() if line.startswith("Tag:")]
    if not tags or any(len(tag) != 3 for tag in tags):
        raise InputError(f"{one.pin}: its WHEEL file names no platform; {_remedy(one)}")
    return "-".join(
        ".".join(sorted({part for tag in tags for part in tag[i].split(".")})) for i in range(3)
    )


def _remedy(one: Installed) -> str:
    return f"install it again: pip install --force-reinstall --no-deps {one.pin}"
