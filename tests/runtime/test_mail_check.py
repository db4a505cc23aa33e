"""Words and headers together: what style cannot see, signs do; and thresholds that move."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("selectolax", reason="the extra 'mail' is not installed")
pytest.importorskip("sklearn", reason="the extra 'train' is not installed")

from whichlever.cli.app import app
from whichlever.errors import BundleError, DataError, InputError
from whichlever.infer.style import StyleProfile
from whichlever.mail import read_message
from whichlever.mail.company import Company, Person
from whichlever.mail.sentences import sentences
from whichlever.models.style import train_style
from whichlever.packs.phishing.simulate import simulate_mailbox
from whichlever.runtime.authorship import authorship
from whichlever.runtime.mail_check import check_mail, claimed
from whichlever.runtime.style_profiles import ProfileStore, new_key, read_key
from whichlever.runtime.style_update import recalibrate


@pytest.fixture(scope="module")
def mails() -> dict[str, list[str]]:
    """Own words of the simulated company's people, oldest first."""
    found: dict[str, list[str]] = {}
    for mail in simulate_mailbox(1_600, 0):
        if mail.author:
            found.setdefault(mail.author, []).append(read_message(mail.eml.encode()).own)
    return found


@pytest.fixture(scope="module")
def person(mails: dict[str, list[str]]) -> str:
    """Somebody who writes at length."""
    return max(mails, key=lambda who: np.mean([len(text) for text in mails[who]]))


@pytest.fixture(scope="module")
def profile(mails: dict[str, list[str]], person: str) -> StyleProfile:
    others = [t for who in sorted(mails)[::2] if who != person for t in mails[who]]
    return train_style(person, mails[person][:50], others[:300], salt=1)


@pytest.fixture
def genuine(profile: StyleProfile, mails: dict[str, list[str]], person: str) -> str:
    later = mails[person][50:]
    return next(t for t in later if authorship(profile, t).verdict == "authentic")


def _mail(text: str, sender: str, *lines: str) -> bytes:
    head = [f"From: Somebody <{sender}>", *lines, "Content-Type: text/plain; charset=utf-8"]
    return ("\n".join(head) + "\n\n" + text).encode()


def test_a_replay_of_own_words_is_told_by_its_reply_to_alone(
    profile: StyleProfile, genuine: str, person: str
) -> None:
    plain = check_mail(profile, read_message(_mail(genuine, person)))
    replay = check_mail(
        profile, read_message(_mail(genuine, person, "Reply-To: boss@freemail.test"))
    )
    assert plain.verdict == "authentic"
    assert (replay.words.verdict, replay.verdict) == ("authentic", "imitation")
    said = replay.line("x")
    assert said["signals"] == ["reply_to_differs"]
    assert "freemail.test" in " ".join(said["reasons"])
    assert said["score"] < 0.3


def test_links_and_attachments_say_nothing_of_the_sender(
    profile: StyleProfile, genuine: str, person: str
) -> None:
    text = f"{genuine}\n\nhttp://192.0.2.7/x"
    assert check_mail(profile, read_message(_mail(text, person))).signs == ()


def test_a_homoglyph_address_claims_the_person_it_looks_like(person: str) -> None:
    known = {person, "someone.else@northwind.example"}
    name = person.split("@")[0]
    forged = read_message(_mail("x", f"{name}@n\u043erthwind.example"))
    assert claimed(forged, known) == person
    assert claimed(read_message(_mail("x", person)), known) == person
    assert claimed(read_message(_mail("x", f"{name}@elsewhere.test")), known) is None
    named = Company(people=(Person(name="Somebody", addresses=(person,)),))
    assert claimed(read_message(_mail("x", "a@elsewhere.test")), known, named) == person


def test_a_foreign_half_is_seen_and_named_though_the_opening_is_their_own(
    profile: StyleProfile, mails: dict[str, list[str]], person: str
) -> None:
    strangers = [t for who in sorted(mails)[1::2] if who != person for t in mails[who]]
    own = [t for t in mails[person][50:] if len(t.split()) >= 40]
    other = [t for t in strangers if len(t.split()) >= 40]
    whole, parts = [], []
    for mine, theirs in zip(own, other, strict=False):
        text = f"{mine}\n\n{theirs}"
        part, _ = profile.weakest(text, sentences(text))
        whole.append(profile.score(text))
        parts.append(part)
        assert part <= whole[-1] + 3.0
    assert np.mean(parts) < np.mean(whole)
    score, part = profile.weakest("One line.", [(0, 9)])
    assert np.isnan(score)
    assert part is None


def test_sentences_of_a_stranger_have_a_style_of_their_own(
    profile: StyleProfile, genuine: str
) -> None:
    asked = (
        "yo ppl!!! u wont beleive wot hapend 2day lol :))) thx 4 nuthin haha!!!\n"
        "dat guy wuz sooo mad @ me ~~ i waz like WOT da heck r u even doin here man???"
    )
    text = f"{genuine}\n\n{asked}"
    said = authorship(profile, text)
    styled = [p for p in said.passages if "as unlike" in p.why]
    assert said.verdict == "imitation", said
    assert any(text[p.start : p.end] in asked for p in styled)
    assert all(p.style is not None and p.style <= 0.1 for p in styled)
    assert "as unlike them" in " ".join(said.reasons)


def test_newer_mail_moves_thresholds_and_older_is_kept(
    profile: StyleProfile, mails: dict[str, list[str]], person: str
) -> None:
    newer = mails[person][50:]
    moved = recalibrate(profile, newer)
    assert len(moved.own) > len(profile.own)
    assert (moved.own[: len(profile.own), 0] == profile.own[:, 0]).all()
    assert moved.model is profile.model
    assert moved.score(newer[0]) == profile.score(newer[0])
    with pytest.raises(DataError, match="newer mails"):
        recalibrate(profile, ["too short"] * 50)


def test_recalibrate_and_check_from_the_command_line(
    profile: StyleProfile, mails: dict[str, list[str]], person: str, genuine: str, tmp_path: Path
) -> None:
    new_key(tmp_path / "k")
    ProfileStore(tmp_path / "p", read_key(tmp_path / "k")).save(profile)
    where = ["--profiles", str(tmp_path / "p"), "--profile-key", str(tmp_path / "k")]
    sent = tmp_path / "sent.jsonl"
    sent.write_text(
        "\n".join(json.dumps({"eml": _mail(t, person).decode()}) for t in mails[person][50:])
    )
    run = CliRunner().invoke
    done = run(app, ["mail", "recalibrate", str(sent), "--person", person, "--json", *where])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["newer"] >= 10
    name = person.split("@")[0]
    (tmp_path / "forged.eml").write_bytes(_mail(genuine, f"{name}@n\u043erthwind.example"))
    done = run(app, ["mail", "check", str(tmp_path / "forged.eml"), *where,
                     "-o", str(tmp_path / "said.jsonl")])  # fmt: skip
    assert done.exit_code == 0, done.output
    said = json.loads((tmp_path / "said.jsonl").read_text())
    assert (said["person"], said["verdict"], said["words"]) == (person, "imitation", "authentic")
    assert "lookalike_domain" in said["signals"]
    done = run(app, ["mail", "recalibrate", str(sent), "--person", "nobody@x.example", *where])
    assert isinstance(done.exception, InputError)


def test_an_older_profile_is_to_be_enrolled_again(profile: StyleProfile) -> None:
    import io
    from dataclasses import asdict

    facts = json.dumps({**asdict(profile.facts), "format": 1}).encode()
    out = io.BytesIO()
    np.savez(out, facts=np.frombuffer(facts, np.uint8))
    with pytest.raises(BundleError, match="enrol again"):
        StyleProfile.from_bytes(out.getvalue())
