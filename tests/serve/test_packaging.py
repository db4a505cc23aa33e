"""The systemd unit and the container file that are shipped."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from whichlever.cli.app import app

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze here (Debian: apt-get install systemd)")
    unit = (PACKAGING / "whichlever-serve@.service").read_text()
    # The program is not installed in /opt on this machine; everything else is checked as it is.
    path = tmp_path / "whichlever-serve@x.service"
    path.write_text(unit.replace("/opt/whichlever/bin/whichlever", "/bin/true"))
    done = subprocess.run(
        [program, "verify", str(path)], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if path.name in line]
    assert not ours, ours


def test_the_unit_is_hardened_and_swaps_by_reload() -> None:
    unit = (PACKAGING / "whichlever-serve@.service").read_text().splitlines()
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "DynamicUser=yes",
                 "IPAddressDeny=any", "ExecReload=/bin/kill -HUP $MAINPID"):  # fmt: skip
        assert line in unit


def test_both_call_the_program_with_options_that_it_has() -> None:
    options = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "200"}).output
    options = re.sub("\x1b\\[[0-9;]*m", "", options)
    text = "".join(path.read_text() for path in PACKAGING.iterdir())
    asked = {
        word.strip('",')
        for line in text.splitlines()
        if not line.startswith("#") and ("serve" in line or "--host" in line)
        for word in shlex.split(line.strip(" \\").replace("[", " ").replace("]", " "))
        if word.strip('",').startswith("--")
    } - {"--constraint", "--no-cache-dir", "--from=build"}
    assert {"--key", "--host", "--api-keys"} <= asked
    assert all(option in options for option in asked), asked


def test_the_container_runs_as_nobody_and_pins_what_it_installs() -> None:
    text = (PACKAGING / "Containerfile").read_text()
    assert "USER 65532:65532" in text
    assert "--constraint /src/constraints.txt" in text
    assert "HEALTHCHECK" in text
