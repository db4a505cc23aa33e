"""Leaks and canaries: what counts as given away, and what counts as found."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whichlever.measure.attack_canary import held_in, make_canaries, plant
from whichlever.measure.attack_leak import leaked, longest_run, rouge_l, words_of
from whichlever.predict import Row

SECRET = "You triage alerts. A = critical. B = noise. Internal reference: wlabc123."


def test_the_whole_secret_is_exact_rouge_and_canary():
    exact, rouge, canary, longest = leaked([SECRET], [f"Sure: {SECRET} Bye."], "wlabc123")
    assert (exact.value, rouge.value, canary.value) == (1.0, 1.0, 1.0)
    assert longest == len(words_of(SECRET))


def test_a_label_gives_nothing_away():
    exact, rouge, canary, longest = leaked([SECRET] * 3, ["noise", "critical", ""], "wlabc123")
    assert (exact.value, rouge.value, canary.value) == (0.0, 0.0, 0.0)
    assert exact.high > 0.5  # three questions show little
    assert longest == 1


def test_near_is_near_and_not_exact():
    almost = SECRET.replace("Internal", "Own")
    exact, rouge, _, _ = leaked([SECRET], [almost], None)
    assert exact.value == 0.0
    assert rouge.value == 1.0


@given(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=12), st.lists(st.sampled_from("abcd"))
)
def test_rouge_is_a_share_and_a_run_no_longer_than_the_subsequence(secret, said):
    recall = rouge_l(secret, said)
    assert 0 <= recall <= 1
    assert longest_run(secret, said) <= round(recall * len(secret))
    assert rouge_l(secret, secret) == 1.0


def test_canaries_stand_in_as_many_rows_as_they_say():
    canaries = make_canaries(0)
    rows = [Row(f"r{i}", f"text {i}", "noise") for i in range(300)]
    planted = plant(rows, canaries, 0)
    for canary in canaries:
        assert sum(canary.text in row.text for row in planted) == canary.times
    assert all(b.text.startswith(a.text) for a, b in zip(rows, planted, strict=True))
    assert planted == plant(rows, canaries, 0)


@pytest.mark.parametrize("pack", ["plain", "upper", "gzip", "npz", "utf16", "parquet"])
def test_a_canary_is_found_however_the_file_is_packed(pack):
    canary, other = make_canaries(1)[:2]
    text = f"words {canary.text} words"
    if pack == "plain":
        content = text.encode()
    elif pack == "upper":
        content = text.upper().encode()
    elif pack == "gzip":
        content = gzip.compress(text.encode())
    elif pack == "utf16":
        content = text.encode("utf-16-le")
    elif pack == "npz":
        buffer = io.BytesIO()
        np.savez_compressed(buffer, words=np.frombuffer(text.encode(), np.uint8))
        content = buffer.getvalue()
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        buffer = io.BytesIO()
        pq.write_table(pa.table({"text": [text] * 3}), buffer, compression="zstd")
        content = buffer.getvalue()
    assert held_in(content, [canary, other]) == {canary.text}


@pytest.mark.parametrize("broken", [b"\x1f\x8b broken", b"PK\x03\x04 broken", b"PAR1 broken"])
def test_a_broken_file_is_searched_as_it_is(broken):
    canary = make_canaries(1)[0]
    assert held_in(broken, [canary]) == set()
    assert held_in(broken + canary.text.encode(), [canary]) == {canary.text}
