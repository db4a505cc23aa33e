"""Who wrote it: authors against impostors never seen, attacks, newer mail; resumable by fit."""

from __future__ import annotations

import gzip
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import mail_attacks
from mail_statistics import auc, over_authors, verification
from whichlever.infer.style import StyleProfile, distances
from whichlever.mail.sentences import sentences
from whichlever.runtime.authorship import authorship

SETS = ("authors_list", "authors_enron")
MOST = 80
"""Mails of each fold that an attack is made of, evenly over all of them."""
WITH_HEADERS = 15
"""Mails of each fold that the attacks on headers are tried with."""


@dataclass(frozen=True)
class Fold:
    """One author against one half of the others: what enrols, and what is asked."""

    author: str
    half: int
    own: list[str]
    known: list[str]
    later: list[str]
    foreign: list[str]


def folds(path: Path) -> list[Fold]:
    """Each author twice.

    Six tenths of an author's mails, the earliest, enrol; the rest are asked. Half of the other
    authors are what the style is told apart from, the other half's later mails are the impostors;
    then the halves are changed.
    """
    with gzip.open(path, "rt") as stream:
        rows = [json.loads(line) for line in stream]
    by: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda r: (r["author"], r["day"])):
        by.setdefault(row["author"], []).append(row["text"])
    order = [str(x) for x in np.random.default_rng(0).permutation(sorted(by))]
    early = {who: len(texts) * 6 // 10 for who, texts in by.items()}
    found = []
    for author in sorted(by):
        others = [who for who in order if who != author]
        for half in (0, 1):
            found.append(Fold(
                author, half, by[author][: early[author]],
                [t for who in others[half::2] for t in by[who][: early[who]]],
                by[author][early[author] :],
                [t for who in others[1 - half :: 2] for t in by[who][early[who] :]],
            ))  # fmt: skip
    return found


def authors(data: Path, folder: Path) -> dict[str, Any]:
    """Every figure of every author; fits that ``folder`` has are read back."""
    found = {}
    for name in SETS:
        every = folds(data / "mail" / f"{name}.jsonl.gz")
        lines = [_kept(folder / f"{name}-{f.author}-{f.half}.json", f) for f in every]
        keys = [k for k, v in lines[0].items() if isinstance(v, float)]
        found[name] = {
            "authors": len({f.author for f in every}), "fits": len(lines),
            "mean": {k: float(np.nanmean([line[k] for line in lines])) for k in keys},
            "interval": {k: over_authors([(x["author"], x[k]) for x in lines]) for k in keys},
            "attacks": {
                attack: {
                    key: _mean([(x["author"], x["attacks"][attack][key]) for x in lines])
                    for key in lines[0]["attacks"][attack]
                }
                for attack in lines[0]["attacks"]
            },
            "mails": {
                attack: int(np.nansum([x["attacks"][attack]["mails"] for x in lines]))
                for attack in lines[0]["attacks"]
            },
            "headers": {
                case: {
                    key: _mean([(x["author"], x["headers"][case][key]) for x in lines])
                    for key in lines[0]["headers"][case]
                }
                for case in lines[0]["headers"]
            },
            "lines": [
                {k: v for k, v in x.items() if not isinstance(v, dict) and v == v} for x in lines
            ],
        }  # fmt: skip
    return found


def _mean(values: list[tuple[str, float]]) -> dict[str, Any]:
    """Mean and interval over whole authors, those without a figure left out; how many there are."""
    known = [(who, value) for who, value in values if value == value]
    if not known:
        return {"value": None, "low": None, "high": None, "authors": 0}
    low, high = over_authors(known)
    value = float(np.mean([v for _, v in known]))
    return {"value": value, "low": low, "high": high, "authors": len({w for w, _ in known})}


def _kept(path: Path, fold: Fold) -> dict[str, Any]:
    if path.exists():
        return dict(json.loads(path.read_text()))
    profile, seconds = enrolled(path.with_suffix(".profile"), fold)
    made = measured(fold, profile) | {"seconds": seconds}
    path.write_text(json.dumps(made))
    print(path.stem, round(made["auc"], 3), flush=True)
    return made


def enrolled(path: Path, fold: Fold) -> tuple[StyleProfile, float]:
    """The fold's profile, and the processor seconds that learning took."""
    from whichlever.models.style import train_style

    took = path.with_suffix(".seconds")
    if path.exists() and took.exists():
        return StyleProfile.from_bytes(path.read_bytes()), float(took.read_text())
    path.parent.mkdir(parents=True, exist_ok=True)
    began = time.process_time()
    profile = train_style(fold.author, fold.own, fold.known, salt=7)
    seconds = time.process_time() - began
    path.write_bytes(profile.to_bytes())
    took.write_text(str(seconds))
    return profile, seconds


def measured(fold: Fold, profile: StyleProfile) -> dict[str, Any]:
    """Every figure of one fold."""
    mine, theirs = distances(profile, fold.later), distances(profile, fold.foreign)
    own = [_judged(profile, text) for text in fold.later]
    made = mail_attacks.attacks(_some(fold.later), _some(fold.foreign), seed=1)
    plain = np.array([one["asks"] for one in own])
    put = np.array([_asks(profile, text) for text in made["one inserted sentence"]])
    return {
        "author": fold.author, "half": fold.half, "own": len(fold.own), "later": len(fold.later),
        **verification(mine, theirs),
        "own_flagged_at_5": float(np.mean([one["imitation"] for one in own])),
        "own_pointed_at": float(np.mean([one["asked"] for one in own])),
        "own_alarmed": float(np.mean([one["alarm"] for one in own])),
        "own_abstained": float(np.mean([one["abstained"] for one in own])),
        "own_authentic": float(np.mean([one["authentic"] for one in own])),
        "inserted_auc": auc(put, plain),
        "sentence_auc": _by_sentence(profile, fold),
        **_newer(profile, fold),
        "attacks": {
            name: _attacked([_judged(profile, text) for text in texts], own)
            for name, texts in [*made.items(), ("own mail about money",
                                                mail_attacks.about_money(fold.later))]
        },
        "headers": _headers(profile, fold),
    }  # fmt: skip


def _judged(profile: StyleProfile, text: str) -> dict[str, float]:
    """What the answer says of a text, and the scores it stands on."""
    said = authorship(profile, text)
    words, whole, part = _scores(profile, text)
    asked = any(p.payment > 0 and profile.payment_share(p.payment) <= 0.05 for p in said.passages)
    return {
        "whole": whole, "strange": profile.strangeness(whole, part),
        "asks": _asks(profile, text), "imitation": said.verdict == "imitation",
        "asked": asked, "alarm": asked or said.verdict == "imitation",
        "authentic": said.verdict == "authentic",
        "abstained": not words,
    }  # fmt: skip


def _asks(profile: StyleProfile, text: str) -> float:
    return max((profile.asks(text[a:b]) for a, b in sentences(text)), default=-10.0)


def _attacked(made: list[dict[str, float]], own: list[dict[str, float]]) -> dict[str, float]:
    """One attack's rates, and how well each score tells it from the person's later mail."""
    if not made:
        return dict.fromkeys(
            ("mails", "whole_auc", "style_auc", "payment_auc", "imitation", "asked", "alarm",
             "authentic"), float("nan"),
        )  # fmt: skip

    def column(name: str, of: list[dict[str, float]]) -> np.ndarray:
        return np.array([one[name] for one in of], float)

    return {
        "mails": float(len(made)),
        "whole_auc": auc(-column("whole", made), -column("whole", own)),
        "style_auc": auc(column("strange", made), column("strange", own)),
        "payment_auc": auc(column("asks", made), column("asks", own)),
        **{
            key: float(column(key, made).mean())
            for key in ("imitation", "asked", "alarm", "authentic")
        },
    }


def few(data: Path, counts: Sequence[int] = (30, 60)) -> dict[str, Any]:
    """The list's authors enrolled from their newest few mails alone, one half of impostors."""
    from whichlever.models.style import train_style

    found = {}
    for count in counts:
        lines = []
        for fold in folds(data / "mail" / f"{SETS[0]}.jsonl.gz")[::2]:
            if len(fold.own) < count:
                continue
            profile = train_style(fold.author, fold.own[-count:], fold.known, salt=7)
            scores = [_scores(profile, text) for text in fold.later]
            flagged = [words and profile.own_share(w, part) <= 0.05 for words, w, part in scores]
            mine = np.array([w for _, w, _ in scores])
            lines.append((fold.author, {
                **verification(mine, distances(profile, fold.foreign)),
                "own_flagged_at_5": float(np.mean(flagged)),
            }))  # fmt: skip
        found[str(count)] = {
            key: _mean([(who, line[key]) for who, line in lines]) for key in lines[0][1]
        }
    return found


def _by_sentence(profile: StyleProfile, fold: Fold) -> float:
    """AUC of single sentences' style: somebody else's against the person's, in mails half each."""
    draw = random.Random(2)
    mine, theirs = [], []
    for text in fold.later[:60]:
        made = mail_attacks.half_and_half(text, draw.choice(fold.foreign))
        if made is None:
            continue
        spans = sentences(text)
        cut = spans[(len(spans) - 1) // 2][1]
        for a, b in sentences(made):
            if len(made[a:b].split()) >= 8:
                (mine if b <= cut else theirs).append(profile.score(made[a:b]))
    return auc(-np.array(theirs), -np.array(mine)) if mine and theirs else float("nan")


def _newer(profile: StyleProfile, fold: Fold) -> dict[str, float]:
    """Own later mail flagged, with thresholds as enrolled and moved by the mails in between."""
    from whichlever.runtime.style_update import recalibrate

    half = len(fold.later) // 2
    found = {}
    moved = recalibrate(profile, fold.later[:half])
    for what, texts in (("latest", fold.later[half:]), ("strangers", _some(fold.foreign))):
        scores = [_scores(profile, text) for text in texts]
        for name, by in (("", profile), ("_recalibrated", moved)):
            flagged = [words and by.own_share(w, part) <= 0.05 for words, w, part in scores]
            found[f"{what}_flagged{name}"] = float(np.mean(flagged))
    return found


def _scores(profile: StyleProfile, text: str) -> tuple[bool, float, float]:
    """Whether a text is long enough to tell, its score, and its weakest part's."""
    counts = profile.counts(text)
    part, _ = profile.weakest(text, sentences(text))
    return counts.words >= profile.facts.min_words, profile.score_counts(counts), part


def _some(texts: Sequence[str]) -> list[str]:
    """At most `MOST` texts, evenly over all of them."""
    if len(texts) <= MOST:
        return list(texts)
    return [texts[i] for i in np.linspace(0, len(texts) - 1, MOST).astype(int)]


def _headers(profile: StyleProfile, fold: Fold) -> dict[str, dict[str, float]]:
    """The person's own words in mail with headers made up: genuine, and forged two ways."""
    from whichlever.mail.company import Company, History, Person
    from whichlever.mail.parse import read_message
    from whichlever.runtime.mail_check import check_mail

    company = Company(
        domains=("northwind.example",),
        people=(Person(name="A Person", addresses=(mail_attacks.PERSON,)),),
    )
    history = History().learn([read_message(mail_attacks.envelope("Hello."))])
    found = {}
    for case, sender, reply_to in (
        ("genuine", mail_attacks.PERSON, None),
        ("replay, other Reply-To", mail_attacks.PERSON, "a.person@freemail.test"),
        ("homoglyph sender", mail_attacks.HOMOGLYPH, None),
    ):
        checked = []
        for text in _some(fold.later)[:WITH_HEADERS]:
            raw = mail_attacks.envelope(text, sender, reply_to)
            checked.append(check_mail(
                profile, read_message(raw), company=company, history=history, raw=raw
            ))  # fmt: skip
        found[case] = {
            "words_imitation": _share([c.words.verdict == "imitation" for c in checked]),
            "words_authentic": _share([c.words.verdict == "authentic" for c in checked]),
            "signs": _share([bool(c.signs) for c in checked]),
            "verdict_imitation": _share([c.verdict == "imitation" for c in checked]),
            "verdict_authentic": _share([c.verdict == "authentic" for c in checked]),
        }
    return found


def _share(values: Sequence[bool]) -> float:
    return float(np.mean(values))
