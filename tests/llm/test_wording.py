from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from whichlever.llm.wording import instructions, neutral, question

MARKUP = st.lists(
    st.sampled_from(["<", ">", "|", "/", "[", "]", "text", "im_end", "INST", "s", " ", "\x00",
                     "\ud800", "｜", "passage"]), max_size=30,
).map("".join)  # fmt: skip


@given(MARKUP | st.text())
def test_data_can_hold_no_control_token_and_close_no_mark(text: str) -> None:
    out = neutral(text)
    out.encode("utf-8")
    assert not re.search(r"<\||\|>|<[^\s<>]{1,64}>|\[/?[A-Z_]{2,32}\]", out)
    assert "\x00" not in out


@given(st.text(alphabet=st.characters(exclude_characters="<>[]|｜", exclude_categories=["C"])))
def test_ordinary_text_is_told_as_it_is(text: str) -> None:
    assert neutral(text) == text


def test_neutralising_is_linear_in_the_text() -> None:
    assert len(neutral("<" * 1_000_000 + "[A" * 100_000)) >= 1_000_000


@given(MARKUP)
def test_a_question_has_one_text_and_it_comes_last(text: str) -> None:
    asked = question(text, blocks=[text], examples=[(text, "A")])
    assert asked.count("<text>") == asked.count("</text>") == 1
    assert asked.endswith("</text>\nAnswer:")


def test_instructions_name_each_option_with_its_meaning() -> None:
    told = instructions("Triage.", [("A", "critical"), ("B", "noise")], {"critical": "wake"})
    assert "A = critical: wake\nB = noise\n" in told
    named = instructions("", [("CWE-79", "CWE-79")], {})
    assert "\nCWE-79\n" in named
    assert "letter" not in named
