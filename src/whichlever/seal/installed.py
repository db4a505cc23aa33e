"""What is installed here and needed there: the closure of this package's own requirements.

A kit holds exactly the versions of this environment, since those are the ones that were tested.
"""

from __future__ import annotations

import csv
import importlib.metadata
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from whichlever.errors import InputError

OWN = "whichlever"

_SPDX = {
    "MIT License": "MIT",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""Names that mean one SPDX licence; others (as "BSD License") mean several."""


class Recorded(NamedTuple):
    """One line of a ``RECORD``: name, ``sha256=…`` (empty where none is kept), size in bytes."""

    name: str
    hash: str
    size: int


@dataclass(frozen=True)
class Installed:
    """One distribution of this environment.

    ``source`` is the source tree, where the distribution is installed as a link to one.
    """

    name: str
    version: str
    distribution: importlib.metadata.Distribution
    source: Path | None = None

    @property
    def pin(self) -> str:
        """As a requirement, e.g. ``numpy==2.4.6``."""
        return f"{self.name}=={self.version}"

    @cached_property
    def record(self) -> tuple[Recorded, ...]:
        """Every file that installing it wrote, as its ``RECORD`` says; empty for a link."""
        lines = csv.reader((self.distribution.read_text("RECORD") or "").splitlines())
        return tuple(Recorded(line[0], line[1], int(line[2] or 0)) for line in lines if line)

    def locate(self, name: str) -> Path:
        """Where a file of the record lies."""
        return Path(str(self.distribution.locate_file(name)))

    @property
    def licence(self) -> str | None:
        """Its licence as it states it: an SPDX expression, a name, or None."""
        said = self.distribution.metadata
        if self.source is not None:
            return str(own_project(self.distribution)[1]["license"])
        for field in ("License-Expression", "License"):
            line = (said.get_all(field) or [""])[0].strip()
            if line and "\n" not in line and len(line) <= 100 and line.upper() != "UNKNOWN":
                return _SPDX.get(line, str(line))
        kinds = [k for k in said.get_all("Classifier") or [] if k.startswith("License :: ")]
        name = kinds[0].rpartition(" :: ")[2] if len(kinds) == 1 else None
        return _SPDX.get(name, name) if name else None

    @cached_property
    def size(self) -> int:
        """Bytes that it takes on disk, by its own list of files."""
        if self.source is not None:
            package = Path(__file__).resolve().parents[1]
            return sum(p.stat().st_size for p in package.rglob("*") if p.suffix != ".pyc")
        return sum(file.size for file in self.record)


def own_project(distribution: importlib.metadata.Distribution) -> tuple[Path, Mapping[str, Any]]:
    """The source tree that this package runs from, and its ``[project]`` table.

    The table is read rather than the metadata of the link: those are as old as the last install.

    Raises
    ------
    InputError
        The tree is gone or has no project table.
    """
    url = str(json.loads(distribution.read_text("direct_url.json") or "{}").get("url", ""))
    root = Path(url.removeprefix("file://"))
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"{root}/pyproject.toml: cannot be read ({error}); install whichlever again"
        ) from error
    return root, project


def is_link(distribution: importlib.metadata.Distribution) -> bool:
    """Whether a distribution is installed as a link to its source (``pip install --editable``)."""
    try:
        said = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return False
    return bool(said.get("dir_info", {}).get("editable"))


def find(name: str) -> Installed:
    """A distribution of this environment by name.

    Raises
    ------
    InputError
        It is not installed.
    """
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        hint = f"install it first: pip install {name}"
        raise InputError(f"{name} is not installed here; {hint}") from None
    source = own_project(found)[0] if is_link(found) else None
    return Installed(canonicalize_name(name), found.version, found, source)


def needed(extras: Iterable[str]) -> list[Installed]:
    """Find this package, what it requires with ``extras``, and what those require in turn, by name.

    Raises
    ------
    InputError
        An extra is unknown, or something that is needed is not installed here.
    """
    wanted = frozenset(extras)
    known = _known_extras(find(OWN))
    strange = sorted(wanted - known)
    if strange:
        raise InputError(f"--extras {strange[0]}: unknown (known: {', '.join(sorted(known))})")
    done: dict[str, frozenset[str]] = {}
    found: dict[str, Installed] = {}
    queue: list[tuple[str, frozenset[str], str]] = [(OWN, wanted, OWN)]
    while queue:
        name, asked, parent = queue.pop()
        key = canonicalize_name(name)
        already = done.get(key)
        if already is not None and asked <= already:
            continue
        done[key] = asked | (already or frozenset())
        if key not in found:
            found[key] = _required(key, parent, wanted)
        queue.extend(
            (r.name, frozenset(r.extras), key)
            for r in _requirements(found[key])
            if _applies(r, done[key])
        )
    return [found[name] for name in sorted(found)]


def requirements_within(
    packages: Iterable[Installed], extras: Iterable[str]
) -> dict[str, list[str]]:
    """Package name → names of those packages that it requires; ``extras`` are of this package."""
    wanted = frozenset(extras)
    names = {one.name: one for one in packages}
    asked: dict[str, set[str]] = {name: set(wanted) if name == OWN else set() for name in names}
    lines = {name: _requirements(one) for name, one in names.items()}
    for name in names:
        for line in lines[name]:
            asked.setdefault(canonicalize_name(line.name), set()).update(line.extras)
    return {
        name: sorted(
            {
                found
                for line in lines[name]
                if (found := canonicalize_name(line.name)) in names
                and found != name
                and _applies(line, frozenset(asked[name]))
            }
        )
        for name in names
    }


def _required(name: str, parent: str, extras: frozenset[str]) -> Installed:
    try:
        return find(name)
    except InputError:
        asked = f"'{OWN}[{','.join(sorted(extras))}]'" if extras else OWN
        raise InputError(
            f"{name}, which {parent} needs, is not installed here; a kit holds what is: "
            f"pip install {asked}"
        ) from None


def _requirements(one: Installed) -> list[Requirement]:
    said: list[str] = one.distribution.requires or []
    if one.source is not None:
        project = own_project(one.distribution)[1]
        said = [*project.get("dependencies", []), *optional_requirements(project)]
    try:
        return [Requirement(line) for line in said]
    except InvalidRequirement as error:
        raise InputError(f"{one.name}: its requirements cannot be read ({error})") from error


def optional_requirements(project: Mapping[str, Any]) -> list[str]:
    """The requirements of a project table's extras, as metadata writes them."""
    lines = []
    for extra, requirements in sorted(project.get("optional-dependencies", {}).items()):
        for line in requirements:
            requirement, _, marker = line.partition(";")
            both = f"({marker.strip()}) and " if marker.strip() else ""
            lines.append(f'{requirement.strip()}; {both}extra == "{extra}"')
    return lines


def _known_extras(one: Installed) -> frozenset[str]:
    if one.source is not None:
        return frozenset(own_project(one.distribution)[1].get("optional-dependencies", {}))
    return frozenset(one.distribution.metadata.get_all("Provides-Extra") or [])


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({"extra": extra}) for extra in (extras or {""}))
