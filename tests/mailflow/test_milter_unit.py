"""The systemd unit of the milter."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from whichlever.cli.app import app

UNIT = Path(__file__).resolve().parents[2] / "packaging" / "whichlever-milter.service"


def test_it_is_hardened_and_calls_the_program_with_options_that_it_has() -> None:
    lines = UNIT.read_text().splitlines()
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "DynamicUser=yes",
                 "IPAddressDeny=any", "ExecReload=/bin/kill -HUP $MAINPID"):  # fmt: skip
        assert line in lines
    told = CliRunner().invoke(app, ["mail", "milter", "--help"], env={"COLUMNS": "200"}).output
    told = re.sub("\x1b\\[[0-9;]*m", "", told)
    asked = re.findall(r"(?<!\S)--[a-z-]+", "\n".join(lines))
    assert {"--listen", "--model", "--key", "--quarantine"} <= set(asked)
    assert all(option in told for option in asked), asked


def test_systemd_takes_it(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze here (Debian: apt-get install systemd)")
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text().replace("/opt/whichlever/bin/whichlever", "/bin/true"))
    done = subprocess.run(
        [program, "verify", str(path)], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if path.name in line]
    assert not ours, ours
