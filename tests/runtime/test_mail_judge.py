"""Mail to verdicts for scan, milter, watch and server alike: model, signs and style."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("selectolax", reason="the extra 'mail' is not installed")
pytest.importorskip("sklearn", reason="the extra 'train' is not installed")

from tiny_bundle import tiny_bundle
from tiny_mail_bundle import BAD, GOOD, mail, tiny_mail_bundle
from whichlever.errors import DataError, InputError
from whichlever.mail.scan import MailVerdict
from whichlever.models.style import train_style
from whichlever.predict import Prediction, Row
from whichlever.runtime.mail_judge import MailJudge
from whichlever.runtime.style_profiles import ProfileStore, new_key, read_key


def test_many_mails_get_each_its_own_verdict(tmp_path: Path) -> None:
    judge = MailJudge.open(tiny_mail_bundle(tmp_path / "m.wl"), allow_unsigned=True)
    found = judge([mail(text).as_bytes() for text in (BAD, GOOD, BAD)])
    said = [one.verdict for one in found if isinstance(one, MailVerdict)]
    assert said == ["phishing", "legitimate", "phishing"]
    assert judge([]) == []


def test_signs_alone_judge_where_there_is_no_model() -> None:
    (found,) = MailJudge.open(None)([mail(BAD).as_bytes()])
    assert isinstance(found, MailVerdict)
    assert found.verdict != "phishing"


def test_a_model_without_an_answer_is_an_error_not_a_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = MailJudge.open(tiny_mail_bundle(tmp_path / "m.wl"), allow_unsigned=True)
    assert judge.bundle is not None

    class Silent:
        def predict(self, rows: Sequence[Row]) -> list[Prediction]:
            return [Prediction(row.id, None, status="error") for row in rows]

    monkeypatch.setattr(judge.bundle, "predictor", Silent())
    (found,) = judge([mail(GOOD).as_bytes()])
    assert isinstance(found, DataError)
    assert "error" in judge.line(mail(GOOD).as_bytes(), "x")


def test_bundles_that_do_not_read_mail_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no label 'phishing'"):
        MailJudge.open(tiny_bundle(tmp_path / "a.wl"), allow_unsigned=True)
    with pytest.raises(InputError, match="not learned from mail"):
        MailJudge.open(tiny_mail_bundle(tmp_path / "b.wl", pack=None), allow_unsigned=True)
    with pytest.raises(InputError, match="go together"):
        MailJudge.open(None, profiles=tmp_path)
    with pytest.raises(InputError, match="go with --model"):
        MailJudge.open(None, allow_unsigned=True)


def written(rng: random.Random, plainly: bool) -> str:
    """A made-up mail in one of two plain habits of writing."""
    things = ["the roof", "our plan", "that crane", "my report", "the survey", "his offer"]
    said = []
    for _ in range(6):
        one, other = rng.sample(things, 2)
        said.append(
            f"i think {one} is ok - will look at {other} tomorrow, ok?"
            if plainly
            else f"Furthermore, {one} ought to be examined; however, {other} has been concluded."
        )
    return (" " if plainly else "\n\n").join(said)


def test_words_that_are_not_the_persons_make_their_mail_suspicious(tmp_path: Path) -> None:
    rng, person = random.Random(0), "cfo@company.test"
    own = [written(rng, plainly=False) for _ in range(60)]
    others = [written(rng, plainly=True) for _ in range(80)]
    new_key(tmp_path / "key")
    store = ProfileStore(tmp_path / "profiles", read_key(tmp_path / "key"))
    store.save(train_style(person, own[:40], others[:60], salt=1))
    judge = MailJudge.open(None, profiles=tmp_path / "profiles", profile_key=tmp_path / "key")

    def caught(judge: MailJudge, texts: list[str], sender: str) -> float:
        found = judge([mail(text, From=sender).as_bytes() for text in texts])
        said = [one for one in found if isinstance(one, MailVerdict)]
        for one in said:
            if "style_unlike" in one.codes:
                assert one.verdict == "suspicious"
                assert f"not written as {person} writes" in one.reasons[-1]
        return sum("style_unlike" in one.codes for one in said) / len(texts)

    assert caught(judge, others[60:], person) > 0.9
    assert caught(judge, own[40:], person) < 0.5
    assert caught(judge, others[60:], "ada@partner.test") == 0
    assert caught(MailJudge.open(None), others[60:], person) == 0
