"""``whichlever seal`` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kits import small_kit

from whichlever.cli import main


def test_a_plan_says_what_and_how_large_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["seal", "--no-train", "--plan", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["extras"] == ["serve", "sign"]
    assert said["bytes"] == sum(item["bytes"] for item in said["items"])
    assert {"wheel"} == {item["kind"] for item in said["items"]}
    assert list(tmp_path.iterdir()) == []


def test_a_kit_is_checked_and_a_damaged_one_exits_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kit = small_kit(tmp_path).path
    assert main(["seal", "--check", str(kit)]) == 0
    said = capsys.readouterr().out
    assert "holds" in said
    assert "not signed" in said
    content = bytearray(kit.read_bytes())
    content[len(content) // 2] ^= 1
    kit.write_bytes(content)
    assert main(["seal", "--check", str(kit)]) == 3
    assert "is not what SHA256SUMS says" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--plan", "--extras", "tarin"], "unknown"),
        (["--no-train"], "where does the kit go"),
        (["--no-train", "--extras", "llm", "-o", "k.tar"], "--no-train chooses"),
        (["--check", "none.tar"], "cannot be read"),
        (["--check", "a.tar", "-o", "b.tar"], "not both"),
        (["--plan", "--weights", "nobody"], "no weights called"),
        (["--plan", "--wheels", "nowhere"], "is no folder"),
    ],
)
def test_what_cannot_be_done_says_why(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["seal", *arguments]) == 2
    assert message in capsys.readouterr().err
