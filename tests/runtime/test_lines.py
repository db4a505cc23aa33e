"""Many answers as lines at once are the lines one by one."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from real_bundles import manifest
from whichlever.bundle.format import Part
from whichlever.predict import Prediction
from whichlever.runtime.lines import answer_line, answer_lines, dump, error_line, scores_of

LABELS = ("critical", "noise")

SCORES = st.floats(0, 1, width=32) | st.integers(0, 10**6).map(lambda n: (n + 0.5) / 10**6)
ANSWERS = st.lists(
    st.builds(
        Prediction,
        id=st.just(""),
        label=st.sampled_from(LABELS),
        scores=st.none() | st.tuples(SCORES, SCORES).map(lambda s: np.array(s, np.float32)),
        status=st.sampled_from(["ok", "ok", "ok", "handed", "failed"]),
        error=st.none() | st.text(st.characters(), max_size=20),
    ),
    max_size=6,
)


@settings(deadline=None)
@given(ANSWERS, st.none() | st.floats(0.001, 1, exclude_max=True))
def test_all_at_once_is_one_by_one(answers: list[Prediction], below: float | None) -> None:
    said = manifest([Part(name="linear", kind="linear")], abstain_below=below)
    ids = list(range(len(answers)))
    together = answer_lines(answers, said, ids, scores_of(answers))
    assert together == [answer_line(p, said, id=i) for p, i in zip(answers, ids, strict=True)]
    assert [list(line) for line in together] == [
        list(answer_line(p, said, id=i)) for p, i in zip(answers, ids, strict=True)
    ]


@settings(deadline=None)
@given(st.text(st.characters()), st.none() | st.integers() | st.text(st.characters()))
def test_a_line_is_one_line_of_ascii_and_reads_back(message: str, ident: object) -> None:
    line = error_line(message, ident)
    content = dump(line)
    assert content.isascii()
    assert content.count(b"\n") == 1
    assert content.endswith(b"\n")
    assert json.loads(content) == line
    assert all(c.isprintable() for c in line["error"])
