"""The page in a real browser: headless Chromium, offline, as a reader opens it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from make_run import Spec, make_run
from test_report_html import hostile_spec

from whichlever.report import write_report

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (1280, 390)


@pytest.fixture(scope="session")
def chromium() -> str:
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    pytest.skip(f"no browser here: none of {', '.join(NAMES)} is installed (apt install chromium)")


def browse(program: str, profile: Path, page: Path, *options: str) -> str:
    """Open a page, give back what the browser printed; it may look up no name at all."""
    command = [
        program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--disable-dev-shm-usage", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={profile}", *options, page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    return write_report(make_run(tmp_path_factory.mktemp("browser") / "run", Spec()))


@pytest.fixture(scope="module")
def hostile_report(tmp_path_factory) -> Path:
    run = make_run(tmp_path_factory.mktemp("hostile") / "run", hostile_spec(" " + "w" * 300))
    return write_report(run)


def test_the_verdict_is_in_the_page_that_the_browser_built(chromium, report, tmp_path):
    built = browse(chromium, tmp_path / "profile", report, "--dump-dom")
    heading = re.search(r"<h1>(.*?)</h1>", built)
    assert heading
    assert heading.group(1).startswith("Pull finetune-static")
    assert built.count("<svg") == report.read_text(encoding="utf-8").count("<svg")


def test_hostile_text_adds_no_element_in_a_browser(chromium, hostile_report, tmp_path):
    built = browse(chromium, tmp_path / "profile", hostile_report, "--dump-dom")
    for element in ("script", "img", "iframe", "base", "link", "object"):
        assert f"<{element}" not in built, element
    assert built.count("<style") == 1
    assert built.rstrip().endswith("</html>")


@pytest.mark.parametrize("which", ["report", "hostile_report"])
def test_nothing_hangs_over_the_right_edge(which, chromium, request, tmp_path):
    """A copy with a probe script in it is asked how wide it is, in frames of each width."""
    text = request.getfixturevalue(which).read_text(encoding="utf-8")
    bare, removed = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    assert removed == 1
    bare = bare.replace("<details", "<details open")
    probe = (
        "<script>addEventListener('load', () => parent.postMessage("
        "innerWidth + ':' + document.documentElement.scrollWidth, '*'))</script></body>"
    )
    (tmp_path / "probe.html").write_text(bare.replace("</body>", probe), encoding="utf-8")
    frames = "".join(
        f'<iframe src="probe.html" style="width:{w}px;height:900px;border:0"></iframe>'
        for w in WIDTHS
    )
    listen = (
        "<script>addEventListener('message', e => {"
        "document.body.append(document.createElement('hr'), '[' + e.data + ']')})</script>"
    )
    wrapper = tmp_path / "wrapper.html"
    wrapper.write_text(f"<!doctype html><body>{listen}{frames}</body>", encoding="utf-8")
    built = browse(
        chromium, tmp_path / "profile", wrapper, "--dump-dom", "--virtual-time-budget=8000"
    )
    seen = dict(re.findall(r"\[(\d+):(\d+)\]", built))
    assert {int(w) for w in seen} == set(WIDTHS), built[-500:]
    for inner, scrolled in seen.items():
        assert int(scrolled) <= int(inner), (inner, scrolled)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_drawn(width, chromium, report, tmp_path):
    picture = tmp_path / "page.png"
    browse(
        chromium, tmp_path / "profile", report, f"--screenshot={picture}",
        f"--window-size={width},1200",
    )  # fmt: skip
    png = picture.read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(png[16:20], "big") == width
    assert len(png) > 40_000  # an empty page of this size compresses to less than 10 kB
