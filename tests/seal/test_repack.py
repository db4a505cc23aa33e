"""Wheels from what is installed: they hold it, install, and nothing that was changed gets in."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from whichlever.errors import InputError
from whichlever.seal.given import check_wheel, kept_wheels
from whichlever.seal.glibc import needed_glibc
from whichlever.seal.installed import Installed, find, needed, requirements_within
from whichlever.seal.repack import repack
from whichlever.version import VERSION


def copied(name: str, folder: Path) -> Installed:
    """A distribution of this environment, copied into a folder where it can be spoilt."""
    one = find(name)
    for file in one.record:
        if not file.name.startswith("..") and not file.name.endswith(".pyc"):
            target = folder / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(one.locate(file.name), target)
    (path,) = importlib.metadata.distributions(path=[str(folder)])
    return Installed(one.name, one.version, path)


def installed_from(wheel: Path, folder: Path) -> dict[str, bytes]:
    """Let pip install a wheel into a folder; every file but what pip adds."""
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-compile",
         "--disable-pip-version-check", "--target", str(folder), str(wheel)],
        check=True,
    )  # fmt: skip
    added = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and p.name not in added
    }


def test_pip_installs_exactly_what_was_there(tmp_path: Path) -> None:
    one = copied("mdurl", tmp_path / "site")
    there = installed_from(repack(one, tmp_path), tmp_path / "again")
    here = {f.name: one.locate(f.name).read_bytes() for f in one.record if f.name in there}
    assert there == here
    assert "mdurl/_parse.py" in there


def test_a_wheel_is_the_same_bytes_whenever_it_is_made(tmp_path: Path) -> None:
    one = find("mdurl")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    a, b = repack(one, tmp_path / "a"), repack(one, tmp_path / "b")
    assert a.read_bytes() == b.read_bytes()


def test_a_changed_file_is_refused_by_name(tmp_path: Path) -> None:
    one = copied("mdurl", tmp_path / "site")
    one.locate("mdurl/_parse.py").write_text("print('mine')\n")
    with pytest.raises(InputError, match=r"mdurl==.*mdurl/_parse.py was changed"):
        repack(one, tmp_path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    one = copied("mdurl", tmp_path / "site")
    one.locate("mdurl/_parse.py").unlink()
    with pytest.raises(InputError, match=r"mdurl/_parse.py is missing"):
        repack(one, tmp_path)


def test_the_own_wheel_runs_and_holds_everything_in_the_package(tmp_path: Path) -> None:
    one = find("whichlever")
    there = installed_from(repack(one, tmp_path), tmp_path / "again")
    for needed_file in (
        "whichlever/seal/install.sh",
        "whichlever/seal/readme.txt",
        "whichlever/packs/triage/template/files/task.yaml",
    ):
        assert needed_file in there
    said = next(p for p in there if p.endswith("dist-info/METADATA"))
    assert f"Version: {VERSION}".encode() in there[said]
    assert b'Requires-Dist: torch>=2.9; extra == "train"' in there[said]
    done = subprocess.run(
        [sys.executable, "-m", "whichlever", "--version"],
        env={"PYTHONPATH": str(tmp_path / "again")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == VERSION


def test_what_is_needed_is_the_closure_of_requirements() -> None:
    plain = {one.name for one in needed(())}
    serving = {one.name for one in needed(("serve",))}
    assert {"whichlever", "numpy", "annotated-types"} <= plain
    assert "uvicorn" not in plain
    assert {"uvicorn", "h11", "httptools"} <= serving  # h11 is what uvicorn asks for
    within = requirements_within([find("uvicorn"), find("h11"), find("click")], ())
    assert within == {"uvicorn": ["click", "h11"], "h11": [], "click": []}


def test_an_unknown_extra_is_refused() -> None:
    with pytest.raises(InputError, match=r"--extras tarin: unknown \(known: .*train"):
        needed(("tarin",))


def test_a_kept_wheel_is_taken_where_it_is_what_is_installed(tmp_path: Path) -> None:
    one = find("mdurl")
    wheel = repack(one, tmp_path)
    assert kept_wheels(tmp_path, [one, find("pip")]) == {"mdurl": wheel}
    check_wheel(wheel, one)


def test_a_kept_wheel_with_another_file_is_refused(tmp_path: Path) -> None:
    one = find("mdurl")
    wheel = repack(one, tmp_path)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("mdurl/extra.py", "import os\n")
    with pytest.raises(InputError, match=r"mdurl/extra.py is not the one installed"):
        check_wheel(wheel, one)


@pytest.mark.parametrize(
    ("names", "glibc"),
    [
        (["a-1-py3-none-any.whl"], None),
        (["a-1-cp311-abi3-manylinux2014_x86_64.whl"], "2.17"),
        # Runs from the oldest that its own tags name; the set, from the newest of these.
        (["a-1-cp311-cp311-manylinux_2_28_x86_64.manylinux_2_27_x86_64.whl"], "2.27"),
        (
            ["a-1-cp311-cp311-manylinux1_x86_64.whl", "b-1-cp39-abi3-manylinux_2_34_x86_64.whl"],
            "2.34",
        ),
    ],
)
def test_the_c_library_that_wheels_need(names: list[str], glibc: str | None) -> None:
    assert needed_glibc(names) == glibc
