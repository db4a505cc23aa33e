"""Did the person really write this mail? The whole of it, its parts, and sentence by sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from whichlever.infer.style import StyleProfile
from whichlever.infer.style_parts import SENTENCE_WORDS, words_of
from whichlever.mail.sentences import sentences

FALSE_ALARMS = 0.05
"""Share of the person's own later mail that may be called an imitation, nominally."""

MOST_SENTENCES = 200
SHOWN = 3
"""Sentences shown for each reason, at most."""
STRANGE_SENTENCE = 0.1
"""Share of the own sentences that may be as unlike the person for a sentence to be shown."""


@dataclass(frozen=True)
class Passage:
    """One sentence: where it is in the text, how it scores, and why it is shown.

    ``style`` is the share of the person's own sentences that are as unlike them, None for a
    sentence of fewer than eight words; ``payment`` the log-odds of its asking for money.
    """

    start: int
    end: int
    style: float | None
    payment: float
    why: str


@dataclass(frozen=True)
class Authorship:
    """``verdict`` is authentic, imitation or unknown; ``score`` in [0, 1] is the conformal p-value
    of being the person's own: small is strange. ``asking`` is the share of the person's own mails
    with a sentence that asks for money as plainly. ``passages`` are the sentences worth a look.
    """

    verdict: str
    score: float
    reasons: tuple[str, ...]
    passages: tuple[Passage, ...] = ()
    asking: float = 1.0

    def line(self, where: str) -> dict[str, Any]:
        """The answer as JSON values, by the contract of ``verify``."""
        spans = [[p.start, p.end] for p in self.passages]
        return {
            "id": where, "verdict": self.verdict, "score": round(self.score, 4),
            "asking": round(self.asking, 4), "reasons": list(self.reasons), "sentences": spans,
            "passages": [
                {**asdict(p), "style": None if p.style is None else round(p.style, 4),
                 "payment": round(p.payment, 2)}
                for p in self.passages
            ],
        }  # fmt: skip


def authorship(profile: StyleProfile, text: str, false_alarms: float = FALSE_ALARMS) -> Authorship:
    """Compare a mail's own words with the person's habits.

    Imitation: the mail, or one of its two parts at some cut, is among the strangest
    ``false_alarms`` of the person's own. Authentic: it is not, is stranger to others than nine in
    ten of theirs, and no sentence asks for money more plainly than all but ``false_alarms`` of
    the person's mails do. Unknown: neither is shown, or the text is too short to tell.
    """
    counts = profile.counts(text)
    spans = sentences(text)[:MOST_SENTENCES]
    told = _told(profile, text, spans)
    asking = [passage for passage in told if passage.payment > 0]
    share = profile.payment_share(max(p.payment for p in asking)) if asking else 1.0
    asked = [
        replace(p, why=f"asks for a payment: “{_quoted(text[p.start : p.end], 120)}”")
        for p in asking
        if profile.payment_share(p.payment) <= false_alarms
    ]
    asked = sorted(asked, key=lambda passage: -passage.payment)[:SHOWN]
    if counts.words < profile.facts.min_words:
        said = f"{counts.words} words; {profile.facts.min_words} are needed to tell"
        words = [said, *(p.why for p in asked)]
        return Authorship("unknown", 0.5, tuple(words), tuple(asked), share)
    score = profile.score_counts(counts)
    weakest, part = profile.weakest(text, spans)
    own, foreign = profile.own_share(score, weakest), profile.foreign_share(score)
    reasons = [
        f"{own:.0%} of their own mail is as unlike them as this",
        f"{foreign:.0%} of others' mail is as much like them",
    ]
    strange: list[Passage] = []
    if own <= false_alarms:
        # The whole may be like them and a part of it not: say which.
        if part is not None and profile.strangeness(score) < profile.strangeness(score, weakest):
            where = "second part" if part[0] else "first part"
            quoted = _quoted(text[part[0] : part[1]], 60)
            reasons.append(f"the {where} is less like them than the whole: “{quoted}”")
        said_already = {passage.start for passage in asked}
        strange = _strange(text, [p for p in told if p.start not in said_already])
    for habit, here, usual in profile.broken_habits(counts):
        reasons.append(f"{habit}: {here:.2g} here, usually {usual:.2g}")
    reasons += [passage.why for passage in (*asked, *strange)]
    if own <= false_alarms:
        verdict = "imitation"
    elif foreign <= 0.1 and not asked:
        verdict = "authentic"
    else:
        verdict = "unknown"
    return Authorship(verdict, own, tuple(reasons), tuple(asked + strange), share)


def _told(profile: StyleProfile, text: str, spans: Sequence[tuple[int, int]]) -> list[Passage]:
    """Every sentence with its style, where it is long enough to tell, and how plainly it asks."""
    styles, asks = profile.by_sentence([text[a:b] for a, b in spans])
    found = []
    for (begin, end), style, ask in zip(spans, styles, asks, strict=True):
        long = words_of(text[begin:end]) >= SENTENCE_WORDS
        share = profile.sentence_share(float(style)) if long else None
        found.append(Passage(begin, end, share, float(ask), ""))
    return found


def _strange(text: str, told: Sequence[Passage]) -> list[Passage]:
    """The sentences least like the person's."""
    found = [
        replace(
            p,
            why=f"{p.style:.0%} of their sentences are as unlike them: "
            f"“{_quoted(text[p.start : p.end], 120)}”",
        )
        for p in told
        if p.style is not None and p.style <= STRANGE_SENTENCE
    ]
    return sorted(found, key=lambda passage: passage.style or 0.0)[:SHOWN]


def _quoted(text: str, most: int) -> str:
    said = " ".join(text[: most + 1].split())
    return said if len(text) <= most else said[:most] + "…"
