"""Alerts are linked by entity and time: by the definition, however they come."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.cli import main
from whichlever.data import incidents as module
from whichlever.data.incidents import Alert, Grouper, group_alerts
from whichlever.data.linking import entities_at, entity
from whichlever.data.presence import LEAST, Presence

WINDOW = 60.0

alerts_drawn = st.lists(
    st.tuples(
        st.integers(0, 600),
        st.lists(st.sampled_from("abcdefgh"), max_size=3, unique=True),
    ),
    max_size=25,
).map(
    lambda rows: [Alert(f"a{i:02d}", float(t), tuple(names)) for i, (t, names) in enumerate(rows)]
)


def parts(found) -> set[frozenset[str]]:
    return {frozenset(incident.alerts) for incident in found}


def by_definition(alerts, window: float) -> set[frozenset[str]]:
    """Components of the graph that links every two alerts with a common entity in the window."""
    groups = [{alert.id} for alert in alerts]
    for x, y in itertools.combinations(alerts, 2):
        if set(x.entities) & set(y.entities) and abs(x.time - y.time) <= window:
            mine = next(g for g in groups if x.id in g)
            other = next(g for g in groups if y.id in g)
            if mine is not other:
                mine |= other
                groups.remove(other)
    return {frozenset(group) for group in groups}


def streamed(alerts) -> list[module.Incident]:
    """Grouped as a stream in which nothing is everywhere."""
    grouper = Grouper(WINDOW, frozenset())
    return [one for alert in alerts for one in grouper.add(alert)] + list(grouper.finish())


@settings(max_examples=100, deadline=None)
@given(alerts_drawn)
def test_incidents_are_what_hangs_together(alerts):
    assert parts(group_alerts(alerts, WINDOW)) == by_definition(alerts, WINDOW)


@settings(max_examples=40, deadline=None)
@given(alerts_drawn, st.randoms())
def test_the_order_of_alerts_changes_nothing(alerts, dice):
    shuffled = list(alerts)
    dice.shuffle(shuffled)
    assert group_alerts(shuffled, WINDOW) == group_alerts(alerts, WINDOW)


@settings(max_examples=40, deadline=None)
@given(alerts_drawn)
def test_no_link_crosses_the_window(alerts):
    times = {alert.id: alert.time for alert in alerts}
    for incident in group_alerts(alerts, WINDOW):
        inside = sorted(times[name] for name in incident.alerts)
        assert all(later - sooner <= WINDOW for sooner, later in itertools.pairwise(inside))
        assert (incident.first, incident.last) == (inside[0], inside[-1])


@settings(max_examples=40, deadline=None)
@given(alerts_drawn, st.integers(0, 120))
def test_a_stream_with_bounded_disorder_gives_the_same(alerts, late):
    dice = random.Random(3)
    ordered = sorted(alerts, key=lambda a: a.time + dice.random() * late)
    grouper = Grouper(WINDOW, frozenset(), late=late)
    streamed = [one for alert in ordered for one in grouper.add(alert)] + list(grouper.finish())
    assert grouper.too_late == 0
    assert parts(streamed) == parts(group_alerts(alerts, WINDOW))


def test_an_alert_that_comes_too_late_stands_alone_and_is_counted():
    grouper = Grouper(WINDOW, frozenset(), late=10)
    for second in (0.0, 30.0, 300.0):
        list(grouper.add(Alert(f"a{second}", second, ("host:x",))))
    late = list(grouper.add(Alert("late", 20.0, ("host:x",))))
    assert [incident.alerts for incident in late] == [("late",)]
    assert grouper.too_late == 1


def test_an_entity_that_is_everywhere_links_nothing():
    alerts = []
    for hour in range(200):
        alerts.append(Alert(f"dc{hour}", hour * 50.0, ("host:dc", f"host:w{hour}")))
    found = group_alerts(alerts, WINDOW)
    assert len(found) == 200
    # A burst, however large, is no furniture.
    burst = [Alert(f"b{i:03d}", 5000 + i / 100, ("host:web", f"x:{i}")) for i in range(500)]
    assert max(len(i.alerts) for i in group_alerts(alerts + burst, WINDOW)) == 500


def test_presence_forgets_the_rare_and_keeps_the_common():
    presence = Presence(1.0)
    for window in range(2_000):
        presence.add(float(window), ["common" if window % 2 else "half", f"once-{window}"])
    assert presence.names() == {"common", "half"}
    assert len(presence._counts) < 200
    young = Presence(1.0)
    for window in range(LEAST - 1):
        young.add(float(window), ["new"])
    assert not young.everywhere("new")


def test_an_incident_stays_within_its_bounds(monkeypatch):
    chain = [Alert(f"c{i:04d}", i * 50.0, ("host:x",)) for i in range(200)]
    found = streamed(chain)
    assert all(one.last - one.first <= module.MAX_WINDOWS * WINDOW for one in found)
    assert sum(len(one.alerts) for one in found) == 200
    monkeypatch.setattr(module, "MAX_ALERTS", 10)
    assert max(len(one.alerts) for one in streamed(chain)) == 10


def test_a_long_stream_keeps_one_window():
    grouper = Grouper(WINDOW, frozenset())
    kept = 0
    for i in range(6_000):
        for _ in grouper.add(Alert(f"{i:05d}", float(i), (f"host:{i % 977}", f"user:{i % 1009}"))):
            kept += 1
        assert len(grouper._open) <= WINDOW + 2
        assert len(grouper._last_of) <= 2 * (WINDOW + 2)
    assert kept > 4_000


def test_what_names_nobody_links_nothing():
    assert entity("user", "-") is None
    assert entity("user", "ROOT") is None
    assert entity("ip", "127.0.0.1") is None
    assert entity("ip", "0.0.0.0") is None
    assert entity("ip", "::") is None
    assert entity("host", True) is None
    assert entity("user", "x" * 500) is None
    assert entity("src_ip", "10.0.0.7") == entity("dest_ip", "10.0.0.7") == "address:10.0.0.7"
    assert entity("ip", "2001:DB8::1") == "address:2001:db8::1"
    record = {"who": {"name": "Eve"}, "ips": ["10.0.0.7", "10.0.0.7", "-"], "port": 22}
    assert entities_at(record, ["/who/name", "/ips", "/gone", "port"]) == (
        "name:eve", "address:10.0.0.7", "port:22",
    )  # fmt: skip


def rows() -> list[dict[str, object]]:
    return [
        {"id": "1", "t": 1_700_000_000, "host": "web-1", "label": "noise"},
        {"id": "2", "t": 1_700_000_060, "host": "web-1", "label": "critical"},
        {"id": "3", "t": 1_700_000_090, "host": "web-2", "label": "noise"},
        {"id": "4", "t": 1_700_009_000, "host": "web-1", "label": "noise"},
    ]


OPTIONS = ["--pack", "", "--entity", "host", "--time", "t", "--id", "id", "--label", "label",
           "--order", "critical,noise"]  # fmt: skip


def test_the_verb_writes_incidents(tmp_path, capsys):
    source = tmp_path / "alerts.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows()))
    out = tmp_path / "incidents.jsonl"
    assert main(["incidents", "-i", str(source), "-o", str(out), *OPTIONS, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["incidents"] == 3
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    first = next(line for line in lines if line["count"] == 2)
    assert first["alerts"] == ["1", "2"]
    assert first["highest"] == "critical"
    assert first["first"] == "2023-11-14T22:13:20Z"
    assert first["entities"] == {"host:web-1": 2}


def test_the_verb_reads_a_pipe():
    text = "".join(json.dumps(row) + "\n" for row in rows())
    done = subprocess.run(
        [sys.executable, "-m", "whichlever", "incidents", "-i", "-", "-o", "-", *OPTIONS],
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(line)["count"] for line in done.stdout.splitlines()) == [1, 1, 2]
    assert "4 alerts, 3 incidents" in done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{bad\n", "not JSON"),
        ('{"host": "a", "id": "1", "label": "x"}\n', "no column 't'"),
        ('{"host": "a", "id": "1", "label": "x", "t": "soon"}\n', "not a time"),
    ],
)
def test_a_bad_line_is_said_with_its_number(tmp_path, capsys, line, said):
    source = tmp_path / "alerts.jsonl"
    source.write_text(json.dumps(rows()[0]) + "\n" + line)
    out = tmp_path / "out.jsonl"
    assert main(["incidents", "-i", str(source), "-o", str(out), *OPTIONS]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert ":2" in error
    assert not out.exists()
