"""The tagger learns from a few lines of one source, and better where it has learned others."""

import random

import pytest

from whichlever.errors import BundleError, DataError
from whichlever.fields import LabelledLine
from whichlever.infer.tagger import Tagger
from whichlever.models.tagger import train_tagger


def firewall(rng):
    a, b = (f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}" for _ in "ab")
    port, user = rng.randrange(1024, 65000), rng.choice(["ana", "ben", "cleo", "dora"])
    stamp = f"2031-05-{rng.randrange(10, 29)}T{rng.randrange(10, 24)}:00:{rng.randrange(10, 60)}"
    fields = {"@timestamp": stamp + ".000+02:00", "source.ip": a, "source.port": port}
    if rng.random() < 0.5:
        text = f"{stamp} fw1 flow: accept src={a}:{port} dst={b} user={user}"
        fields |= {"destination.ip": b, "user.name": user, "event.action": "accept"}
    else:
        text = f'{stamp} fw1 auth: user "{user}" DENIED from {a} port {port}'
        fields |= {"user.name": user, "event.action": "denied"}
    return LabelledLine(text, fields, "fw")


def lines(n, seed):
    rng = random.Random(seed)
    return [firewall(rng) for _ in range(n)]


@pytest.fixture(scope="module")
def files():
    return train_tagger(lines(20, 0), seconds=4)


def test_twenty_lines_teach_a_source(files):
    tagger = Tagger.from_bytes(files)
    new = lines(40, 1)
    found = tagger.parse([line.text for line in new])
    right = [one.fields == line.fields for one, line in zip(found, new, strict=True)]
    assert sum(right) >= 36
    assert all(0 <= one.confidence <= 1 for one in found)


def test_values_are_pieces_of_the_line(files):
    tagger = Tagger.from_bytes(files)
    for text in ("", "\0\x1b[31m", "src=10.0.0.1:80", "user=" + "x" * 10**5, "a=b " * 30_000):
        (one,) = tagger.parse([text])
        for span in one.spans:
            assert 0 <= span.start < span.end <= len(text)
            assert set(span.names) <= set(tagger.schema.names)
        assert set(one.fields) == {name for span in one.spans for name in span.names}


def test_what_is_stored_is_what_was_trained(files):
    tagger = Tagger.from_bytes(files)
    again = Tagger.from_bytes(tagger.to_bytes())
    texts = [line.text for line in lines(5, 2)]
    assert tagger.parse(texts) == again.parse(texts)
    assert b"10." not in files["tagger.npz"]


def test_damaged_files_are_refused(files):
    with pytest.raises(BundleError, match="damaged"):
        Tagger.from_bytes({**files, "tagger.npz": files["tagger.npz"][:-50]})
    with pytest.raises(BundleError, match="damaged"):
        Tagger.from_bytes({"tagger.json": files["tagger.json"]})


def test_nothing_to_learn_from_says_so():
    with pytest.raises(DataError, match="too few"):
        train_tagger([])
    with pytest.raises(DataError, match="stands in its line"):
        train_tagger([LabelledLine("a b", {"x": "c"}), LabelledLine("d e", {"x": "f"})])


def appliance(rng):
    user, host = rng.choice(["ana", "ben", "cleo"]), f"10.9.{rng.randrange(9)}.{rng.randrange(99)}"
    text = f"vpn[{rng.randrange(100, 999)}]: login ok for {user} via {host}"
    return LabelledLine(text, {"user.name": user, "client.ip": host}, "vpn")


def test_another_source_is_learned_on_top(files):
    rng = random.Random(3)
    more = train_tagger([appliance(rng) for _ in range(12)], base=files)
    tagger = Tagger.from_bytes(more)
    old, new = lines(20, 4), [appliance(rng) for _ in range(20)]
    found = tagger.parse([line.text for line in old + new])
    right = [one.fields == line.fields for one, line in zip(found, old + new, strict=True)]
    assert sum(right[:20]) >= 17
    assert sum(right[20:]) >= 17
