"""The wheel of this package from the source tree that it runs from, with no build tool."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whichlever.seal.installed import OWN, Installed, optional_requirements, own_project
from whichlever.seal.wheel import WheelFile
from whichlever.version import VERSION

_WHEEL = """Wheel-Version: 1.0
Generator: whichlever
Root-Is-Purelib: true
Tag: py3-none-any
"""


def own_wheel(one: Installed, folder: Path, level: int) -> Path:
    """Write this package's wheel; equal sources give an equal wheel.

    Raises
    ------
    InputError
        The source tree has no readable project table.
    """
    root, project = own_project(one.distribution)
    package = Path(__file__).resolve().parents[1]
    info = f"{OWN}-{VERSION}.dist-info"
    path = folder / f"{OWN}-{VERSION}-py3-none-any.whl"
    with WheelFile(path, info, level) as wheel:
        for file in sorted(package.rglob("*")):
            parts = file.relative_to(package.parent).parts
            if not file.is_file() or file.suffix == ".pyc":
                continue
            if any(part.startswith(".") or part == "__pycache__" for part in parts):
                continue
            wheel.add("/".join(parts), file.read_bytes())
        wheel.add(f"{info}/METADATA", _metadata(project).encode())
        wheel.add(f"{info}/WHEEL", _WHEEL.encode())
        wheel.add(f"{info}/entry_points.txt", _entry_points(project).encode())
        for licence in project.get("license-files", []):
            wheel.add(f"{info}/licenses/{licence}", (root / licence).read_bytes())
    return path


def _metadata(project: Mapping[str, Any]) -> str:
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {OWN}",
        f"Version: {VERSION}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
        f"Requires-Python: {project['requires-python']}",
        *(f"License-File: {name}" for name in project.get("license-files", [])),
        *(f"Requires-Dist: {line}" for line in project.get("dependencies", [])),
        *(f"Provides-Extra: {extra}" for extra in sorted(project["optional-dependencies"])),
        *(f"Requires-Dist: {line}" for line in optional_requirements(project)),
    ]
    return "\n".join(lines) + "\n"


def _entry_points(project: Mapping[str, Any]) -> str:
    groups = {"console_scripts": project["scripts"], **project.get("entry-points", {})}
    blocks = [
        f"[{group}]\n" + "".join(f"{name} = {what}\n" for name, what in points.items())
        for group, points in groups.items()
    ]
    return "\n".join(blocks)
