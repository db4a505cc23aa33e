"""What native code does by itself: an encoder answers and nothing is looked up, sent or kept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from room import watched

from real_bundles import TEXTS, joined_bundle

ANSWER = """\
import sys, time, whichlever
bundle = whichlever.Bundle.open(sys.argv[1], allow_unsigned=True)
print(bundle.predict([sys.argv[2]])[0].label)
time.sleep(2)  # a report is sent by a thread of its own
"""


def test_an_encoder_reports_to_nobody(tmp_path: Path, minilm: Path) -> None:
    """onnxruntime's wheels keep an identifier in the home folder and upload, unless told not to."""
    pytest.importorskip("torch")  # to export the encoder with
    if shutil.which("strace") is None:
        pytest.skip("no strace here (Debian: apt-get install strace)")
    path = joined_bundle(tmp_path / "m.wl", minilm)
    home = tmp_path / "home"
    home.mkdir()
    told = {"HOME": str(home), "TMPDIR": str(home)}
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ORT_", "XDG_")) and name != "CI"  # where they would be silent
    }
    done = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=network", "-e", "signal=none", "-o",
         str(tmp_path / "trace"), sys.executable, "-c", ANSWER, str(path), TEXTS[0]],
        env=environment | told, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() in ("critical", "noise")
    seen = watched((tmp_path / "trace").read_text(errors="replace"))
    assert seen.off_loopback == []
    assert seen.local == set()  # nor was the name service asked
    assert [str(p.relative_to(home)) for p in home.rglob("*") if p.is_file()] == []
