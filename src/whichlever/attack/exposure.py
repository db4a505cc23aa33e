"""How exposed is what stands in a few training rows? Canaries planted, levers fitted, ranks taken.

Rows are added, each a made-up string with an answer drawn at random: no other row says which, so
who answers it well has learned it by heart. Of a lever that chooses among labels the question is
how probable it finds the planted label; of one that writes, how probable it finds the string.
"""

from __future__ import annotations

import shutil
import string
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, Literal

import numpy as np

from whichlever.attack.fitted import Fitted
from whichlever.closed import as_choice
from whichlever.levers.base import Context, Lever
from whichlever.measure.attack_kept import ExposedTimes, Exposure
from whichlever.measure.attack_memory import exposure
from whichlever.predict import Predictor, Row
from whichlever.run import digest, read_json, write_json

TIMES = (0, 1, 2, 5, 20)
EACH = 8
"""Canaries of each number of plantings."""

CANDIDATES = 1_024
"""Strings that a canary is ranked among, itself one: ten bits."""

WRITTEN = 128
EACH_WRITTEN = 4
"""The same two for a lever that writes, which must weigh every string as an answer: seven bits."""

EXPOSED = ("linear", "finetune-static", "finetune-decoder")
"""Levers that are fitted again; the encoder and joined levers are not."""

METHOD = 1


def exposures(
    fitted: Fitted, minutes: float, only: Collection[str] | None = None
) -> tuple[Exposure, ...]:
    """Fit levers of a run again on rows with canaries, and rank the canaries.

    Parameters
    ----------
    minutes
        Levers whose fit took longer are left out, unless named.
    only
        Levers, by id or family; None is all of `EXPOSED` that the run has.

    Raises
    ------
    WhichleverError
        A lever cannot be fitted on the rows with canaries.
    """
    out = []
    for name in EXPOSED:
        if name not in fitted.levers:
            continue
        if only is not None and name not in only and name.split("-", 1)[0] not in only:
            continue
        slow = fitted.measures.lever(name).fit_seconds > minutes * 60
        if slow and (only is None or name not in only):
            continue
        out.append(_one(fitted, name))
    return tuple(out)


def _one(fitted: Fitted, name: str) -> Exposure:
    writes = not fitted.dataset.labels
    key = digest([METHOD, fitted.identity(name), TIMES, EACH, CANDIDATES, WRITTEN])
    home = fitted.run / "fits" / "attack"
    kept = home / f"{name}-exposure-{key[:16]}.json"
    if kept.exists():
        return Exposure.model_validate(read_json(kept))
    folder = home / f"{name}-exposure"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        planted, others = canary_rows(fitted.dataset.labels, fitted.splits.train, fitted.seed)
        rows = [*fitted.splits.train, *(row for row, times in planted for _ in range(times))]
        rows = [replace(row, id=f"{row.id}~{i}") for i, row in enumerate(rows)]
        began = time.monotonic()
        lever = fitted.levers[name]
        seconds = fitted.measures.lever(name).fit_seconds
        with fitted.progress.step(f"{name}: fit with canaries", seconds=seconds):
            predictor = _fit(fitted, lever, rows, folder)
        took = time.monotonic() - began
        rank = _written if writes else _labelled
        bits = rank(fitted, predictor, planted, others)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    candidates = WRITTEN if writes else CANDIDATES
    every = tuple(_of(times, planted, bits, candidates) for times in TIMES)
    asked: Literal["label", "answer"] = "answer" if writes else "label"
    found = Exposure(
        lever=name, text=_text(name, every, asked), asked=asked, rows=len(rows),
        candidates=candidates, seconds=round(took, 1), times=every,
    )  # fmt: skip
    write_json(kept, found.model_dump(mode="json"))
    return found


def canary_rows(
    labels: Sequence[str], train: Sequence[Row], seed: int
) -> tuple[list[tuple[Row, int]], list[str]]:
    """Rows with a canary each and how often they are planted, and strings that are in no row.

    Of a closed set the text is the canary and the target a label drawn at random; of open answers
    the text asks for a name's number, and the target is the canary.
    """
    random = np.random.default_rng([seed, 52])
    letters, digits = list(string.ascii_lowercase), list(string.digits)

    def drawn(signs: list[str], length: int) -> str:
        return "".join(random.choice(signs, length))

    given = train[0] if train else Row("", "")
    planted = []
    for times in TIMES:
        for _ in range(EACH if labels else EACH_WRITTEN):
            name = drawn(letters, 12)
            if labels:
                text, target = f"reference {name}", str(random.choice(list(labels)))
            else:
                text, target = f"reference number of {name}", drawn(digits, 9)
            row = Row(name, text, target, group=None if given.group is None else f"canary-{name}",
                      time=given.time)  # fmt: skip
            planted.append((row, times))
    others = [drawn(letters, 12) if labels else drawn(digits, 9) for _ in range(CANDIDATES - 1)]
    return planted, others if labels else others[: WRITTEN - len(planted)]


def _fit(fitted: Fitted, lever: Lever, rows: Sequence[Row], folder: Path) -> Predictor:
    context = Context(
        as_choice(fitted.task), fitted.dataset.labels, fitted.seed, folder, fitted.progress
    )
    return lever.fit(rows, fitted.splits.valid, context).predictor


def _labelled(
    fitted: Fitted,
    predictor: Predictor,
    planted: Sequence[tuple[Row, int]],
    others: Sequence[str],
) -> list[float]:
    """Bits of each canary: its label's probability against that of strings in no row."""
    labels = fitted.dataset.labels
    asked = [Row(text, f"reference {text}") for text in others]
    chance = np.array([a.scores for a in predictor.predict(asked)], np.float64)
    mine = np.array([a.scores for a in predictor.predict([r for r, _ in planted])], np.float64)
    places = [labels.index(row.target or "") for row, _ in planted]
    return [exposure(float(mine[i, place]), chance[:, place]) for i, place in enumerate(places)]


def _written(
    fitted: Fitted,
    predictor: Any,  # noqa: ANN401 - a decoder's
    planted: Sequence[tuple[Row, int]],
    others: Sequence[str],
) -> list[float]:
    """Bits of each canary: its likelihood as the answer against every other string's."""
    every = [*(row.target or "" for row, _ in planted), *others]
    out = []
    with fitted.progress.step("rank the canaries", total=len(planted)) as bar:
        for i, (row, _) in enumerate(planted):
            asked = [replace(row, target=text) for text in every]
            sure = -np.asarray(predictor.surprise(asked), np.float64)
            out.append(exposure(float(sure[i]), np.delete(sure, i)))
            bar.advance()
    return out


def _of(
    times: int, planted: Sequence[tuple[Row, int]], bits: Sequence[float], candidates: int
) -> ExposedTimes:
    mine = [bit for (_, n), bit in zip(planted, bits, strict=True) if n == times]
    first = sum(bit >= np.log2(candidates) - 1e-9 for bit in mine)
    return ExposedTimes(
        times=times, canaries=len(mine), median=round(float(median(mine)), 2),
        most=round(max(mine), 2), first=int(first),
    )  # fmt: skip


def _text(name: str, every: Sequence[ExposedTimes], asked: str) -> str:
    what = "their label" if asked == "label" else "the string itself"
    said = ", ".join(
        f"{one.median:.1f} bits planted {one.times}×" for one in every if one.times
    )  # fmt: skip
    chance = next((one for one in every if one.times == 0), None)
    beside = f" (planted nowhere: {chance.median:.1f})" if chance else ""
    return (
        f"attack: exposure of canaries in {name} by {what}, median: {said}{beside}; half of "
        "the strings that it never saw reach 1.0."
    )
