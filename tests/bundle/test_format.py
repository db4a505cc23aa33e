"""The manifest: what it says comes back, and what it may not say is refused by name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiny_bundle import tiny_files
from whichlever.bundle.format import (
    FORMAT,
    MANIFEST,
    Handing,
    Manifest,
    Part,
    Reader,
    Trained,
    file_name,
)
from whichlever.errors import BundleError

TEXT = st.text(min_size=1, max_size=30)
NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)
SHA = st.text("0123456789abcdef", min_size=64, max_size=64)
FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)


@st.composite
def manifests(draw) -> Manifest:
    labels = tuple(draw(st.lists(TEXT, min_size=2, max_size=6, unique=True)))
    kinds = draw(st.sampled_from([("linear",), ("static", "linear"), ("encoder",)]))
    parts = tuple(
        Part(
            name=f"{kind}{i}",
            kind=kind,
            weight=1 / len(kinds),
            max_tokens=draw(st.integers(2, 512)) if kind == "encoder" else None,
        )
        for i, kind in enumerate(kinds)
    )
    costs = tuple((1.0,) * len(labels) for _ in labels)
    handing = draw(
        st.none()
        | st.builds(Handing, score=st.just("doubt"), threshold=FINITE)
        | st.builds(Handing, score=st.just("cost"), threshold=FINITE, costs=st.just(costs))
    )
    return Manifest(
        task=draw(TEXT),
        about=draw(st.text(max_size=50)),
        lever=draw(NAMES),
        what=draw(st.text(max_size=50)),
        labels=labels,
        meanings=draw(st.dictionaries(st.sampled_from(labels), TEXT)),
        reader=draw(
            st.builds(
                Reader,
                input=TEXT | st.lists(TEXT, max_size=3).map(tuple),
                match=st.none() | TEXT,
                id=st.none() | TEXT,
                hidden=st.lists(TEXT, max_size=3).map(tuple),
                max_chars=st.integers(1, 10**9),
            )
        ),
        parts=parts,
        temperature=draw(st.none() | st.floats(1e-3, 1e3)),
        abstain_below=draw(st.none() | st.floats(0.01, 0.99)),
        handing=handing,
        pooled=draw(st.booleans()),
        trained=Trained(
            rows_sha256=draw(SHA),
            roles=draw(st.dictionaries(NAMES, st.integers(0, 10**9), max_size=3)),
            files=draw(st.dictionaries(TEXT, SHA, max_size=3)),
            seed=draw(st.integers(-(2**31), 2**31)),
        ),
        versions=draw(st.dictionaries(NAMES, TEXT, max_size=3)),
    )


@settings(deadline=None, max_examples=150)
@given(manifests())
def test_a_manifest_comes_back_as_it_was(manifest):
    content = manifest.to_bytes()
    again = Manifest.from_bytes(content)
    assert again == manifest
    assert again.to_bytes() == content
    assert content.isascii()


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_anything_else_is_a_bundle_error(content):
    with pytest.raises(BundleError, match=MANIFEST):
        Manifest.from_bytes(content)


def changed(**fields: object) -> bytes:
    return json.dumps({**json.loads(tiny_files()[MANIFEST]), **fields}).encode()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"format": FORMAT + 1}, "update whichlever"),
        ({"format": 0}, "format"),
        ({"labels": ["a", "a"]}, "a label stands twice"),
        ({"labels": ["a"]}, "labels"),
        ({"more": 1}, "more"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"abstain_below": 1.0}, "abstain_below"),
        ({"parts": []}, "parts"),
        ({"parts": [{"name": "../x", "kind": "linear"}]}, "parts.0.name"),
        ({"parts": [{"name": "e", "kind": "encoder"}]}, "max_tokens"),
        ({"parts": [{"name": n, "kind": "linear", "weight": 0.9} for n in "ab"]}, "sum to 1"),
        ({"reader": {}}, "needs pack or input"),
        ({"trained": {"rows_sha256": "x"}}, "rows_sha256"),
    ],
)
def test_what_does_not_hold_is_refused_by_name(fields, said):
    with pytest.raises(BundleError, match=said):
        Manifest.from_bytes(changed(**fields))


def test_a_manifest_without_later_fields_is_read():
    said = json.loads(tiny_files()[MANIFEST])
    del said["pooled"]
    assert Manifest.from_bytes(json.dumps(said).encode()).pooled is False


@pytest.mark.parametrize("path", ["/home/someone/rows.jsonl", r"C:\data\rows.jsonl", "rows.jsonl"])
def test_only_a_files_own_name_is_kept(path):
    assert file_name(path) == "rows.jsonl"
