"""The live server held to its own OpenAPI description, and under load with every answer checked."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from live import serving

from tiny_bundle import TEXTS, tiny_bundle

pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")


@pytest.mark.slow
def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    if not program.exists():
        pytest.skip("schemathesis is not installed")
    with serving(tiny_bundle(tmp_path / "m.wl")) as live:
        done = subprocess.run(
            [str(program), "run", f"{live.url}/openapi.json", "--max-examples", "25",
             "--seed", "1", "--checks", "all", "--no-color", "--generation-database", "none"],
            capture_output=True, text=True, timeout=180, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        assert not [e for e in live.events() if e["event"] == "failed"]


SCRIPT = """
-- Every answer is compared with the label that belongs to the row that was asked.
local rows = {ROWS}
local wrong, last = 0, {}
function init(args) math.randomseed(7) end
local at = 0
function request()
  at = at % #rows + 1
  last = rows[at]
  return wrk.format("POST", "/classify", {["Content-Type"] = "application/json"}, last[1])
end
function response(status, headers, body)
  if status ~= 200 or not string.find(body, last[2], 1, true) then wrong = wrong + 1 end
  if wrong == 1 then io.write("FIRST WRONG " .. status .. " " .. body .. "\\n") end
  counter = wrong
end
local threads = {}
function setup(thread) table.insert(threads, thread) end
function done(summary, latency, requests)
  local total = 0
  for _, t in ipairs(threads) do total = total + (t:get("counter") or 0) end
  local e = summary.errors
  io.write(string.format("CHECKED %d WRONG %d BROKEN %d\\n", summary.requests, total,
    e.connect + e.read + e.write + e.timeout))
end
"""


def _said(label: str) -> str:
    return f'"label":"{label}"'


def test_every_answer_is_right_at_saturation(tmp_path: Path) -> None:
    wrk = shutil.which("wrk")
    if wrk is None:
        pytest.skip("no wrk here (Debian: apt-get install wrk)")
    # One connection per wrk thread, so that a thread's last request is the one being answered.
    rows = ", ".join(
        "{" + f"{json.dumps(json.dumps({'input': text}))}, {json.dumps(_said(label))}" + "}"
        for text, label in ((TEXTS[0], "critical"), (TEXTS[-1], "noise"), (TEXTS[3], "critical"))
    )
    (tmp_path / "check.lua").write_text(SCRIPT.replace("{ROWS}", "{" + rows + "}"))
    with serving(tiny_bundle(tmp_path / "m.wl")) as live:
        done = subprocess.run(
            [wrk, "-t", "8", "-c", "8", "-d", "4s", "-s", str(tmp_path / "check.lua"), live.url],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
    (line,) = [x for x in done.stdout.splitlines() if x.startswith("CHECKED")]
    checked, wrong, broken = (int(x) for x in line.split()[1::2])
    assert checked > 500
    assert (wrong, broken) == (0, 0), done.stdout
