"""A bundle's files as bytes: written as a plain tar, read within bounds, never unpacked to disk."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from whichlever.errors import BundleError
from whichlever.run import written_aside


def write_archive(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a bundle; equal files make an equal archive, byte by byte."""
    with written_aside(path) as aside, tarfile.open(aside, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(files[name]), 0o644
            tar.addfile(entry, io.BytesIO(files[name]))


def read_archive(path: Path) -> dict[str, bytes]:
    """Every file of a bundle (a tar, or a folder), by name.

    Raises
    ------
    BundleError
        It is not a bundle, or holds what a bundle may not.
    """
    try:
        with tarfile.open(path, "r:") as tar:
            return {e.name: tar.extractfile(e).read() for e in tar if e.isfile()}  # type: ignore[union-attr]
    except (OSError, tarfile.TarError) as error:
        raise BundleError(f"{path}: not a bundle ({error})") from error
