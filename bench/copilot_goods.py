"""The page's section on goods for customs, from the JSON record alone."""

from __future__ import annotations

from typing import Any

from copilot_tables import lever_table
from results import interval, verdict_text


def goods_text(found: dict[str, Any]) -> str:
    """The section; empty where goods were not measured."""
    goods = found.get("goods")
    if goods is None:
        return ""
    chapter, heading = goods["chapter"], goods["heading"]
    near, rows = heading["leaked_test_rows"], chapter["rows"]
    return f"""
# Goods for customs: is a language model needed?

4,554 kinds of goods of the Harmonized System (ODC-PDDL, measuring only) and their chapter and
heading, of which there are {heading["answers"]}. To whoever sorts goods into headings that
rows exist of that is a closed set; for goods of any other heading it is none. So there are two
tasks of the same rows:

- **Chapter, split by heading**: the chapter's title, one of {chapter["answers"]} plain
  sentences, for goods of headings that nothing was trained on. This is the honest split for new
  goods.
- **Heading, drawn at random**: {near} of {heading["rows"]["test"]:,} test rows have nearly the
  text of a row of another role, since the goods of one heading are worded alike. It says how well
  known headings are told apart. Split by heading, nothing that chooses could be right even once.

## Chapter, split by heading

{rows["train"]:,} rows to train, {rows["valid"]} to choose, {rows["calibrate"]} to calibrate,
{rows["test"]:,} to test, read once.

{lever_table(chapter)}

Without the {chapter["leaked_test_rows"]} test rows that nearly stand elsewhere, linear reaches
{_clean(chapter)}.
`prompt` is the 135 M base, zero-shot, on as many rows as three minutes pay for: it says nothing of
a large model.

{verdict_text(chapter)}

{_plan(goods["decoder_plan"])}
## Heading, drawn at random

{lever_table(heading)}

Without the {near} test rows that nearly stand elsewhere, linear reaches {_clean(heading)}.
Neither a prompt nor the decoder was tried on {heading["answers"]} answers.

{verdict_text(heading)}
"""


def _clean(found: dict[str, Any]) -> str:
    linear = next(lever for lever in found["levers"] if lever["lever"] == "linear")
    return interval(linear["clean"]["exact_match"])


def _plan(plan: dict[str, Any] | None) -> str:
    """Why the decoder is not in the table."""
    if plan is None:
        return ""
    minutes = plan["asked_seconds"] / 60
    return f"""The decoder is not in the table. Its planner timed a few rows on one core of a busy
machine and asked for {minutes:.0f} minutes of training. In the 17 that it was given,
{plan["shrunk"]}: the last of a list that
is sorted by chapter, which would have been no fair try.
"""
