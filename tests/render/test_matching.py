import json

from hypothesis import given
from hypothesis import strategies as st

from whichlever.render.matching import MOST_MARKS, matched, words

RULE = "rule: Bucket Policy Deleted\nabout: Detects when a user deletes the policy of a bucket"
EVENT = json.dumps(
    {"eventName": "DeleteBucketPolicy", "policyName": "logs", "user": {"name": "eve"}, "mfa": False}
)


def test_words_are_marked_by_where_they_are_found() -> None:
    marks = matched(RULE, EVENT).split()
    assert {"has_bucket", "has_policy", "lacks_deleted", "says_false"} <= set(marks)
    assert "key_user" not in marks  # a stop word says nothing
    assert "title_5" in marks  # of rule, bucket, policy, deleted: two
    named = matched("the name of a thing", EVENT).split()
    assert "key_name" in named


def test_compound_names_come_apart() -> None:
    assert words("DeleteBucketPolicy s3_key AWS") == [
        "delete",
        "bucket",
        "policy",
        "3",
        "key",
        "aws",
    ]


def test_what_quotes_the_event_is_no_description() -> None:
    quoting = f"{RULE}\nevent: {EVENT}"
    assert matched(quoting, EVENT) == matched(f"{RULE}\nevent: ", EVENT)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_gives_bounded_marks(description: str, body: str) -> None:
    marks = matched(description, body).split()
    assert len(marks) <= MOST_MARKS + 4
    assert all("_" in mark for mark in marks)


def test_hostile_bodies_are_bounded() -> None:
    deep = "[" * 50_000 + "]" * 50_000
    assert "lacks_bucket" in matched(RULE, deep)
    many = json.dumps({f"k{i}": "bucket" for i in range(20_000)})
    assert "has_bucket" in matched(RULE, many)
    assert (
        len(
            matched(
                " ".join(f"w{chr(97 + i % 26)}{'x' * (i // 26)}" for i in range(2000)), "{}"
            ).split()
        )
        <= MOST_MARKS + 4
    )
