"""A label that closes a row is said only where other views of the row say it too; else a person.

Three views. **Trusted**: the text without the fields that an attacker writes. Whatever stands in
those fields, a row whose trusted text is not closed is never closed. **Beginnings**, every one: an
attacker who adds text behind a row's own leaves the row itself standing as one of the heads
(beginnings) of what is read. So whatever is added, and however much: where the row itself does not
say the closing label, the longer text cannot either. **Endings**, every one: the same for text put
in front; with both, text put inside a row leaves a beginning before it and an ending behind it.
This is the argument of deletion certificates
(Kumar et al. 2023, "Certifying LLM safety against adversarial prompting", erase-and-check; Levine
and Feizi 2020, "Robustness certificates for sparse adversarial attacks by randomized ablation"),
with every deletion tried, so that nothing is left to chance.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from whichlever.infer.guard_novelty import Novelty
from whichlever.infer.guard_text import canonical
from whichlever.predict import Prediction, Predictor, Row

MOST_CHARS = 4_000_000
"""Characters that the heads of one row may have together (a row of about 5,000 characters); a row
with more is handed over, so that nobody can keep the machine busy with one long line."""

ROUNDS = (4, 16)
"""Heads asked first, and next, spread over the text: most texts that were added to fail here."""

WALKED, ROUNDING = 8, 1e-3
"""From so many cuts on a linear model walks over the text once; a lead within ``ROUNDING`` of the
floor is asked for by itself."""

TIE = 1e-12
"""By so much at least another answer counts as ahead: labels may tie, and one of them is said."""

CHUNK = 2_048
"""Heads asked in one call."""

TOO_LONG = "guard: too long for its beginnings or endings to be asked"
SPOKE_AGAINST = "guard: its first {} characters say otherwise"
ENDED_AGAINST = "guard: what follows its first {} characters says otherwise"
NO_RECORD = "guard: not known which part of the text is trusted; give the record"
UNTRUSTED = "guard: only fields that an attacker writes speak for it"
NEW_WORDS = "guard: too many words that no training row has"

_CUT = re.compile(r"(?<!\w)|(?!\w)")


def heads(text: str, least: int) -> list[int]:
    """Where a text's heads end: everywhere but inside a word, from ``least`` characters on.

    The text itself is not among them. Text that is added goes on from one of these places, unless
    it goes on the last word without a break.
    """
    return [at for m in _CUT.finditer(text, max(least, 1)) if (at := m.start()) < len(text)]


def tails(text: str, least: int) -> list[int]:
    """Where a text's endings of ``least`` characters or more begin: anywhere but inside a word."""
    last = len(text) - max(least, 1)
    return [at for m in _CUT.finditer(text) if 0 < (at := m.start()) <= last]


@dataclass(frozen=True)
class GuardedPredictor:
    """Asks a predictor; where it says the closing label, asks it about other views of the row.

    Attributes
    ----------
    predictor
        The lever; its answers carry scores.
    labels
        The run's label order, which scores follow.
    closes
        The label that closes a row.
    least
        Characters of the shortest beginning or ending; a shorter row has none.
    floor
        By how much the closing label's probability must lead in every beginning and ending; 0 is
        that it leads. Below 0, a row that does not say it may be turned where it comes so near.
    views
        Which of ``trusted``, ``beginnings`` and ``endings`` are asked.
    trusted_floor
        By how much it must lead in the trusted text; above 0 more rows are handed over.
    untrusted
        The fields that the trusted text is without.
    one_form
        Whether every text is read in one form (`canonical`).
    novelty
        How many new words are too many; None does not look.
    """

    predictor: Predictor
    labels: tuple[str, ...]
    closes: str
    least: int
    floor: float = 0.0
    views: tuple[str, ...] = ("beginnings",)
    trusted_floor: float = 0.0
    untrusted: tuple[str, ...] = ()
    one_form: bool = False
    novelty: Novelty | None = None

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row; ``handed`` and no label where a view speaks against closing it.

        A row that is handed over has the scores of the view that spoke against it.
        """
        rows = self._read(rows)
        answers = self.predictor.predict(rows)
        closed = [i for i, a in enumerate(answers) if a.status == "ok" and a.label == self.closes]
        if self.novelty is not None:
            for i in closed:
                if self.novelty.share(rows[i].text) > self.novelty.limit:
                    answers[i] = _handed(answers[i], NEW_WORDS)
        if "trusted" in self.views:
            self._ask_trusted(rows, answers, closed)
        asked: dict[int, list[int]] = {}
        for i in closed:
            if answers[i].status != "ok":
                continue
            cuts = self._cuts(rows[i].text)
            if self._chars(rows[i].text, cuts) > MOST_CHARS:
                answers[i] = _handed(answers[i], TOO_LONG)
            else:
                asked[i] = cuts
        for i in list(asked):
            asked[i] = self._near(rows[i].text, asked[i])
        for some in (*ROUNDS, None):
            now = {i: cuts[:: _step(cuts, some)] for i, cuts in asked.items()}
            self._ask(rows, answers, now)
            asked = {
                i: _others(cuts, now[i]) for i, cuts in asked.items() if answers[i].status == "ok"
            }
        return answers

    def margins(self, rows: Sequence[Row]) -> npt.NDArray[np.float64]:
        """The least lead of the closing label over the text and all its views, shape (n,).

        Beginnings and endings count; the trusted text does not. No text added behind a row of
        ``least`` characters makes this larger where beginnings are asked, none in front where
        endings are, so a row where it is below ``floor`` is never closed by it. It is −1 for rows
        that are too long.
        """
        rows = self._read(rows)
        return np.array([self._leads(row).min() for row in rows], np.float64)

    def trusted_leads(self, rows: Sequence[Row]) -> npt.NDArray[np.float64]:
        """The lead of the closing label in each row's trusted text, shape (n,); −1 without one."""
        rows = self._read(rows)
        out = np.full(len(rows), -1.0)
        some = [i for i, row in enumerate(rows) if (row.trusted or "").strip()]
        given = self.predictor.predict([Row(rows[i].id, rows[i].trusted or "") for i in some])
        for i, answer in zip(some, given, strict=True):
            out[i] = self._lead(answer)
        return out

    def certified(self, rows: Sequence[Row], place: str = "behind") -> int | None:
        """How many rows no text of any length can close; None where the views show that of none.

        Parameters
        ----------
        place
            Where the text goes: ``behind``, ``before`` or ``inside`` the row's text (in one piece,
            not on a word without a break), or into the ``untrusted`` fields, anywhere in them and
            under whatever names.
        """
        if place == "untrusted":
            if "trusted" not in self.views:
                return None
            return int((self.trusted_leads(rows) < max(self.trusted_floor, TIE)).sum())
        needed = {"behind": {"beginnings"}, "before": {"endings"}}.get(
            place, {"beginnings", "endings"}
        )
        if not needed <= set(self.views):
            return None
        return sum(self._holds(row, place) for row in self._read(rows))

    def _holds(self, row: Row, place: str) -> bool:
        if len(row.text) < self.least:
            return False
        if place != "inside":
            view = "beginnings" if place == "behind" else "endings"
            return bool(self._leads(row, (view,)).min() < self.floor)
        ends = heads(row.text, 1)  # the text may go in anywhere: before it, a beginning stays
        if sum(ends) * 2 > MOST_CHARS:
            return True  # handed over unasked, and longer still with text inside
        whole = self._leads(row, ()) < self.floor
        before = self._asked(row, [at if at >= self.least else 0 for at in ends])
        behind = self._asked(row, [-at if len(row.text) - at >= self.least else 0 for at in ends])
        return bool(whole.all() and ((before < self.floor) | (behind < self.floor)).all())

    def _leads(self, row: Row, views: Sequence[str] | None = None) -> npt.NDArray[np.float64]:
        """The lead in the text and in each beginning and ending, in no order."""
        cuts = self._cuts(row.text, views)
        if self._chars(row.text, cuts) > MOST_CHARS:
            return np.array([-1.0])
        return self._asked(row, [len(row.text), *cuts])

    def _asked(self, row: Row, cuts: Sequence[int]) -> npt.NDArray[np.float64]:
        """The lead at each cut; ∞ at 0, which is not asked."""
        out = np.full(len(cuts), np.inf)
        some = [k for k, at in enumerate(cuts) if at]
        for start in range(0, len(some), CHUNK):
            part = some[start : start + CHUNK]
            given = self.predictor.predict([_cut(row, cuts[k]) for k in part])
            out[part] = [self._lead(answer) for answer in given]
        return out

    def _cuts(self, text: str, views: Sequence[str] | None = None) -> list[int]:
        """Where beginnings end, and, below zero, where endings begin."""
        views = self.views if views is None else views
        cuts = heads(text, self.least) if "beginnings" in views else []
        return cuts + [-at for at in tails(text, self.least)] if "endings" in views else cuts

    def _chars(self, text: str, cuts: Sequence[int]) -> int:
        return sum(at if at > 0 else len(text) + at for at in cuts)

    def _read(self, rows: Sequence[Row]) -> Sequence[Row]:
        if not self.one_form:
            return rows
        return [
            replace(
                row, text=canonical(row.text),
                trusted=None if row.trusted is None else canonical(row.trusted),
            )
            for row in rows
        ]  # fmt: skip

    def _ask_trusted(
        self, rows: Sequence[Row], answers: list[Prediction], closed: Sequence[int]
    ) -> None:
        """Hand over each row of which the trusted text does not say the closing label."""
        for i in closed:
            if rows[i].trusted is None and answers[i].status == "ok":
                answers[i] = _handed(answers[i], NO_RECORD)
            elif not (rows[i].trusted or "").strip() and answers[i].status == "ok":
                answers[i] = _handed(answers[i], UNTRUSTED)
        some = [i for i in closed if answers[i].status == "ok"]
        given = self.predictor.predict([Row(rows[i].id, rows[i].trusted or "") for i in some])
        for i, answer in zip(some, given, strict=True):
            if self._lead(answer) < max(self.trusted_floor, TIE):
                answers[i] = _handed(replace(answers[i], scores=answer.scores), UNTRUSTED)

    def _near(self, text: str, cuts: list[int]) -> list[int]:
        """The cuts that must be asked by themselves: those that a walk over the text does not
        clear by more than its rounding. The one that speaks most against closing comes first.
        """
        walk = getattr(self.predictor, "cut_scores", None)
        if walk is None or len(cuts) < WALKED:
            return cuts
        place, left = self.labels.index(self.closes), []
        for endings in (False, True):
            mine = sorted(abs(at) for at in cuts if (at < 0) == endings)
            scores = walk(text, mine, endings=endings) if mine else None
            sign = -1 if endings else 1
            if scores is None:
                left += [(-np.inf, sign * at) for at in mine]
                continue
            leads = scores[:, place] - np.delete(scores, place, axis=1).max(axis=1)
            some = np.flatnonzero(leads < self.floor + ROUNDING)
            left += [(float(leads[k]), sign * mine[k]) for k in some.tolist()]
        return [at for _, at in sorted(left)]

    def _ask(
        self, rows: Sequence[Row], answers: list[Prediction], cuts: dict[int, list[int]]
    ) -> None:
        """Hand over each row of which a beginning or an ending speaks against closing it."""
        todo = [(i, at) for i, places in cuts.items() for at in places]
        for start in range(0, len(todo), CHUNK):
            part = [(i, at) for i, at in todo[start : start + CHUNK] if answers[i].status == "ok"]
            given = self.predictor.predict([_cut(rows[i], at) for i, at in part])
            for (i, at), answer in zip(part, given, strict=True):
                if answers[i].status == "ok" and self._lead(answer) < self.floor:
                    said = replace(answers[i], scores=answer.scores)
                    why = SPOKE_AGAINST if at > 0 else ENDED_AGAINST
                    answers[i] = _handed(said, why.format(abs(at)))

    def _lead(self, answer: Prediction) -> float:
        if answer.scores is None or answer.status != "ok":
            return -1.0
        scores = np.asarray(answer.scores, np.float64)
        place = self.labels.index(self.closes)
        lead = float(scores[place] - np.delete(scores, place).max())
        return lead if answer.label == self.closes else min(lead, -TIE)


def _cut(row: Row, at: int) -> Row:
    return Row(row.id, row.text[:at] if at > 0 else row.text[-at:])


def _step(cuts: Sequence[int], some: int | None) -> int:
    return 1 if some is None else max(1, len(cuts) // some)


def _others(cuts: Sequence[int], first: Sequence[int]) -> list[int]:
    known = set(first)
    return [at for at in cuts if at not in known]


def _handed(answer: Prediction, why: str) -> Prediction:
    return replace(answer, label=None, status="handed", error=why)
