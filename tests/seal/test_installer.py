"""The installer refuses before it installs; that it installs is tested in the sealed room."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from kits import small_kit, unpacked

from whichlever.bundle.sign import new_key

SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("installer")
    private, _ = new_key(place / "team")
    small_kit(place, "kit.tar", private)
    return place


@pytest.fixture
def kit(place: Path, tmp_path: Path) -> Path:
    return unpacked(place / "kit.tar", tmp_path / "kit")


def install(kit: Path, *arguments: str, shell: str = "sh") -> subprocess.CompletedProcess[str]:
    command = ["busybox", "sh"] if shell == "busybox" else [shell]
    return subprocess.run(
        [*command, str(kit / "install.sh"), *arguments],
        capture_output=True, text=True, cwd=kit.parent, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
def test_a_sound_kit_checks_in_every_shell(kit: Path, place: Path, shell: str) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here (Debian: apt-get install openssl)")
    done = install(kit, "--key", str(place / "team.pub"), "--check", shell=shell)
    assert done.returncode == 0, done.stderr
    assert "signature: holds" in done.stdout
    assert f"kit {kit.name.removeprefix('whichlever-')}" in done.stdout


def test_a_flipped_byte_is_named_and_nothing_is_installed(kit: Path, tmp_path: Path) -> None:
    wheel = next((kit / "wheels").glob("mdurl*"))
    content = bytearray(wheel.read_bytes())
    content[100] ^= 1
    wheel.write_bytes(content)
    done = install(kit, str(tmp_path / "wl"))
    assert done.returncode == 3
    assert f"wheels/{wheel.name} is damaged" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kit"]


def test_an_added_a_missing_and_a_linked_file_are_refused(kit: Path, tmp_path: Path) -> None:
    (kit / "wheels" / "evil-1-py3-none-any.whl").write_bytes(b"x")
    assert install(kit, "--check").returncode == 3
    (kit / "wheels" / "evil-1-py3-none-any.whl").unlink()
    assert install(kit, "--check").returncode == 0
    (kit / "README.txt").rename(tmp_path / "README.txt")
    assert install(kit, "--check").returncode == 3
    (kit / "README.txt").symlink_to(tmp_path / "README.txt")
    assert "link" in install(kit, "--check").stderr


def test_another_key_or_a_changed_list_is_refused(kit: Path, tmp_path: Path, place: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here (Debian: apt-get install openssl)")
    _, other = new_key(tmp_path / "other")
    done = install(kit, "--key", str(other), str(tmp_path / "wl"))
    assert done.returncode == 3
    assert "signature does not hold" in done.stderr
    sums = kit / "SHA256SUMS"
    sums.write_bytes(sums.read_bytes() + b"\n")
    assert install(kit, "--key", str(place / "team.pub"), "--check").returncode == 3
    (kit / "SHA256SUMS.sig").unlink()
    done = install(kit, "--key", str(place / "team.pub"), "--check")
    assert "not signed" in done.stderr


def test_another_python_is_refused_with_the_reason(kit: Path, tmp_path: Path) -> None:
    old = tmp_path / "python-old"
    old.write_text("#!/bin/sh\necho 'is Python 3.4; this kit needs another' >&2\nexit 1\n")
    old.chmod(0o755)
    done = install(kit, "--python", str(old), str(tmp_path / "wl"))
    assert done.returncode == 2
    assert "is Python 3.4" in done.stderr


def test_a_folder_that_is_there_is_left_alone(kit: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    done = install(kit, str(taken))
    assert done.returncode == 2
    assert "is there already" in done.stderr
    foreign = tmp_path / "link"
    foreign.symlink_to("/usr")
    done = install(kit, str(foreign))
    assert "link to something else" in done.stderr
    assert foreign.resolve() == Path("/usr")


def test_the_link_moves_to_a_kit_that_is_installed_already(kit: Path, tmp_path: Path) -> None:
    made = tmp_path / f"wl-{kit.name.removeprefix('whichlever-')}"
    (made / "share" / "whichlever" / "kit").mkdir(parents=True)
    (made / "share" / "whichlever" / "kit" / "kit.json").write_text("{}")
    (tmp_path / "wl-0.0.9-00000000").mkdir()
    link = tmp_path / "wl"
    link.symlink_to("wl-0.0.9-00000000")
    done = install(kit, f"{tmp_path}/wl/")
    assert done.returncode == 0, done.stderr
    assert link.readlink() == Path(made.name)
    assert (tmp_path / "wl-0.0.9-00000000").is_dir()  # the way back


def test_what_a_kill_left_is_cleared_and_too_little_room_is_said(kit: Path, tmp_path: Path) -> None:
    script = kit / "install.sh"
    sums = kit / "SHA256SUMS"
    old = script.read_bytes()
    new = re.sub(rb'\[ "\$free" -ge \d+ \]', b'[ "$free" -ge 99999999999999 ]', old)
    assert new != old
    script.write_bytes(new)
    before, after = (hashlib.sha256(text).hexdigest() for text in (old, new))
    sums.write_text(sums.read_text().replace(before, after))
    torn = tmp_path / f"wl-0.1.0-{hashlib.sha256(sums.read_bytes()).hexdigest()[:8]}"
    (torn / "bin").mkdir(parents=True)
    done = install(kit, str(tmp_path / "wl"))
    assert done.returncode == 2
    assert "are needed" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kit"]


def test_what_fails_half_way_leaves_nothing(kit: Path, tmp_path: Path) -> None:
    # This kit has three packages of the eighty that are needed: pip refuses it at the end.
    done = install(kit, str(tmp_path / "wl"))
    assert done.returncode != 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kit"]


@pytest.mark.parametrize("arguments", [(), ("--kay", "x"), ("a", "b"), ("--key",)])
def test_bad_usage_is_said(kit: Path, arguments: tuple[str, ...]) -> None:
    assert install(kit, *arguments).returncode == 2
