"""The page's section on attacks: every figure there, and no name in it that acts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from make_run import Spec, make_run

from whichlever.measure.attack import (
    Aim,
    Attacks,
    CanaryHunt,
    FlipRate,
    Interval,
    Leak,
    LeverAttack,
    Planted,
)
from whichlever.report import write_report
from whichlever.report.attack import attack_lines

EVIL = "'><script>alert(1)</script>\x1b[31m"


def interval(value: float) -> Interval:
    return Interval(value=value, low=max(0.0, value - 0.1), high=min(1.0, value + 0.1))


def rate(attack: str, kind: str, flipped: int) -> FlipRate:
    return FlipRate(
        attack=attack, kind=kind, rows=20, flipped=flipped, rate=interval(flipped / 20),
        questions=30, chars=44.0 if flipped else None,
    )  # fmt: skip


def attacked(lever: str, flipped: int) -> LeverAttack:
    return LeverAttack(
        lever=lever, state="attacked", text=f"attack: flip rate a → b for {lever}", protected=25,
        asked=25, missed=5, rows=20, questions=630, chars=400, total=12_600, flipped=flipped,
        flip=interval(flipped / 20), outsider=interval(0.1), control=interval(0.05),
        shortest=44.0, worst="claim",
        rates=(rate("without your rows", "outsider", 2), rate(EVIL, "family", flipped),
               rate("appended", "way", flipped), rate("public words", "search", 1),
               rate("linear", "transfer", 3), rate("control", "control", 1)),
    )  # fmt: skip


def attacks() -> Attacks:
    aim = Aim(
        protect=("critical",), into="noise", where="at the end of the text", controls=(), rows=100,
        strings=300, search=300, chars=400, minutes=5, families={EVIL: 2, "claim": 5},
        ways=("appended",), given=2, seed=0, at_most=0.02,
    )  # fmt: skip
    leak = Leak(
        lever="prompt", text=f"attack: asked {EVIL}", model="m", what="instructions",
        constrained=True, asked=6, exact=interval(0), rouge=interval(0), canary=interval(0),
        longest=1, secret_words=40,
    )  # fmt: skip
    hunt = CanaryHunt(
        lever="linear", text="attack: canaries", kind="letters", rows=9, seconds=1.0,
        plantings=(
            Planted(times=0, canaries=6, in_files=0, in_bundle=0, named=0, shown=0),
            Planted(times=20, canaries=6, in_files=6, in_bundle=6, named=6, shown=0),
        ),
    )  # fmt: skip
    none = LeverAttack(lever="majority", state="nothing to turn", text="attack: nothing")
    return Attacks(
        aim=aim,
        levers=(none, attacked("linear", 14), attacked("finetune-static", 9)),
        served=(attacked("served linear", 14),),
        canaries=(hunt,),
        leaks=(leak,),
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    run: Path = make_run(tmp_path_factory.mktemp("attack") / "run", Spec())
    measures = json.loads((run / "measures.json").read_text())
    measures["attacks"] = attacks().model_dump(mode="json")
    (run / "measures.json").write_text(json.dumps(measures))
    return write_report(run).read_text(encoding="utf-8")


def test_every_lever_stands_there_with_its_rate(page: str) -> None:
    section = page[page.index('<section id="attack"') :]
    section = section[: section.index("</section>")]
    assert ".700 [.600, .800]" in section
    assert "14 of 20" in section
    assert "5 of 25" in section
    assert "served linear" in section
    assert "attack: nothing" in section
    assert "20 rows" in section
    assert "no row" in section
    assert section.count("<svg") >= 2  # the picture, for wide and for narrow screens
    assert '<a href="#attack">' in page


def test_names_of_families_do_nothing(page: str) -> None:
    assert "<script" not in page
    assert "\x1b" not in page


def test_the_terminal_says_a_line_for_each() -> None:
    lines = attack_lines(attacks())
    assert len(lines) == 6
    assert not any("\x1b" in line for line in lines)
    assert attack_lines(None) == []
