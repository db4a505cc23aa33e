"""Style profiles: enrolled, encrypted, and saying who wrote a mail they have not seen."""

from __future__ import annotations

import gzip
import json
from email import message_from_string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

pytest.importorskip("selectolax", reason="the extra 'mail' is not installed")
pytest.importorskip("sklearn", reason="the extra 'train' is not installed")

from whichlever.cli.app import app
from whichlever.data.simulate import Dice
from whichlever.errors import DataError, InputError, NotTrusted, WhichleverError
from whichlever.infer.style import StyleProfile
from whichlever.infer.style_features import style_counts
from whichlever.mail import read_message
from whichlever.models.payment_words import payment_sentences
from whichlever.models.style import train_style
from whichlever.packs.phishing.simulate import make_people, simulate_mailbox
from whichlever.runtime.authorship import authorship
from whichlever.runtime.style_profiles import ProfileStore, new_key, read_key

PEOPLE = make_people(Dice(1))


@pytest.fixture(scope="module")
def mails() -> dict[str, list[str]]:
    """Own words of the simulated company's people, oldest first."""
    found: dict[str, list[str]] = {}
    for mail in simulate_mailbox(1_800, 0):
        if mail.author:
            found.setdefault(mail.author, []).append(read_message(mail.eml.encode()).own)
    return found


@pytest.fixture(scope="module")
def person(mails: dict[str, list[str]]) -> str:
    """Somebody who writes at length."""
    return max(mails, key=lambda who: np.mean([len(text) for text in mails[who]]))


@pytest.fixture(scope="module")
def profile(mails: dict[str, list[str]], person: str) -> StyleProfile:
    strangers = sorted(mails)[::2]
    others = [t for who in strangers if who != person for t in mails[who]]
    return train_style(person, mails[person][:60], others[:600], salt=1)


def test_impostors_never_seen_score_below_the_person(
    profile: StyleProfile, mails: dict[str, list[str]], person: str
) -> None:
    unseen = [t for who in sorted(mails)[1::2] if who != person for t in mails[who][:30]]
    own = [profile.score(t) for t in mails[person][60:]]
    foreign = [profile.score(t) for t in unseen]
    ahead = np.mean([a > b for a in own for b in foreign])
    assert ahead > 0.85


def test_a_payment_sentence_in_genuine_mail_is_pointed_at(
    profile: StyleProfile, mails: dict[str, list[str]], person: str
) -> None:
    text = next(t for t in mails[person][60:] if "invoice" not in t.lower())
    asked = "I need you to wire 24,000 EUR to the new bank account before noon."
    found = authorship(profile, f"{text}\n\n{asked}")
    assert any(asked[:40] in reason for reason in found.reasons)
    assert [f"{text}\n\n{asked}"[p.start : p.end] for p in found.passages] == [asked]
    assert not authorship(profile, text).passages


def test_short_mail_abstains(profile: StyleProfile) -> None:
    found = authorship(profile, "Yes, fine.")
    assert found.verdict == "unknown"
    assert "3" not in found.verdict
    assert "words" in found.reasons[0]


def test_a_profile_is_the_same_after_storing_and_holds_no_words(
    profile: StyleProfile, mails: dict[str, list[str]], person: str
) -> None:
    content = profile.to_bytes()
    again = StyleProfile.from_bytes(content)
    text = mails[person][-1]
    assert again.score(text) == profile.score(text)
    assert authorship(again, text) == authorship(profile, text)
    words = {w for t in mails[person][:60] for w in t.split() if len(w) > 6}
    assert not [w for w in words if w.encode() in content]


def test_profiles_are_encrypted_and_deletable(profile: StyleProfile, tmp_path: Path) -> None:
    new_key(tmp_path / "key")
    store = ProfileStore(tmp_path / "p", read_key(tmp_path / "key"))
    path = store.save(profile)
    assert profile.facts.person.encode() not in path.read_bytes()
    assert store.load(profile.facts.person).facts == profile.facts
    with pytest.raises(NotTrusted, match="key is another"):
        ProfileStore(tmp_path / "p", bytes(32)).load(profile.facts.person)
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(NotTrusted, match="changed"):
        store.load(profile.facts.person)
    store.forget(profile.facts.person)
    assert store.names() == []
    with pytest.raises(InputError, match="no profile"):
        store.load(profile.facts.person)


def test_too_few_mails_are_refused() -> None:
    with pytest.raises(DataError, match="29 mails"):
        train_style("x", ["some words here"] * 29, ["other words there"] * 50)


def test_enrol_check_and_forget_from_the_command_line(tmp_path: Path, person: str) -> None:
    rows = [json.dumps({"id": m.id, "eml": m.eml}) for m in simulate_mailbox(1_000, 0) if m.author]
    with gzip.open(tmp_path / "sent.jsonl.gz", "wt") as stream:
        stream.write("\n".join(rows))
    forged = message_from_string(json.loads(rows[-1])["eml"])
    forged.replace_header("From", f"Somebody <{person}>")
    forged.set_payload(
        "yo mate\n\nwire the dosh 2day, dont tell any1!!!! need it b4 lunch okay thx "
        "lol, this is so so urgent u must do it rite now or else we r in trouble"
    )
    (tmp_path / "forged.eml").write_text(forged.as_string())
    where = ["--profiles", str(tmp_path / "p"), "--profile-key", str(tmp_path / "k")]
    run = CliRunner().invoke
    done = run(app, ["mail", "enrol", str(tmp_path / "sent.jsonl.gz"), "--person", person,
                     "--new-key", *where])  # fmt: skip
    assert done.exit_code == 0, done.output
    done = run(app, ["mail", "check", str(tmp_path / "forged.eml"), *where,
                     "-o", str(tmp_path / "said.jsonl")])  # fmt: skip
    assert done.exit_code == 0, done.output
    said = json.loads((tmp_path / "said.jsonl").read_text())
    assert said["verdict"] == "imitation", said
    assert person in run(app, ["mail", "profiles", *where]).output
    done = run(app, ["mail", "forget", "--person", person, "--profiles", str(tmp_path / "p")])
    assert done.exit_code == 0, done.output
    assert not list((tmp_path / "p").iterdir())


def test_payment_sentences_are_simulated_from_a_seed() -> None:
    assert payment_sentences(50, 1) == payment_sentences(50, 1)
    assert len(set(payment_sentences(200, 2))) > 150
    assert not any("{" in s for s in payment_sentences(500, 3))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_any_text_has_counts(text: str) -> None:
    counts = style_counts(text, 9)
    assert (np.diff(counts.bins) > 0).all()
    assert np.isfinite(counts.dense).all()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_pass_for_a_profile(content: bytes) -> None:
    with pytest.raises(WhichleverError):
        StyleProfile.from_bytes(content)
