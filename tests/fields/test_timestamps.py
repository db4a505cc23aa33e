"""Timestamps: what logs write is read as the moment that was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whichlever.fields import timestamps
from whichlever.fields.timestamps import Clock


@pytest.mark.parametrize(
    ("text", "clock", "moment"),
    [
        ("2031-04-11T20:06:15.123456Z", Clock(), "2031-04-11T20:06:15.123Z"),
        ("2031/04/11 20:06:15", Clock(zone="-04:00"), "2031-04-11T20:06:15.000-04:00"),
        ("Apr  1 20:06:15", Clock(year=2031), "2031-04-01T20:06:15.000Z"),
        ("31 May 04:32:08", Clock(year=2031), "2031-05-31T04:32:08.000Z"),
        ("29/May/2031:19:02:48 +0200", Clock(), "2031-05-29T19:02:48.000+02:00"),
        ("03/04/31\t10:00:00", Clock(day_first=True), "2031-04-03T10:00:00.000Z"),
        ("03/04/31,10:00:00", Clock(), "2031-03-04T10:00:00.000Z"),
        ('03/04/2031","10:00:00', Clock(), "2031-03-04T10:00:00.000Z"),
        ("2031-04-15 12:02:55.244 CEST", Clock(), "2031-04-15T12:02:55.244+02:00"),
        ("Thu Jun", Clock(), None),
        ("Jun 10 12:00:00 CEST 2031", Clock(), "2031-06-10T12:00:00.000+02:00"),
        ("2031-10-31 15:03:32,474", Clock(), "2031-10-31T15:03:32.474Z"),
        ("06/14/31 01:54:29 PM", Clock(), "2031-06-14T13:54:29.000Z"),
        ("1935409804.334549372", Clock(), "2031-05-01T13:50:04.334Z"),
        ("1935409804334", Clock(), "2031-05-01T13:50:04.334Z"),
        ("20310415T113026Z", Clock(), "2031-04-15T11:30:26.000Z"),
        ("310415 11:30:26", Clock(), "2031-04-15T11:30:26.000Z"),
        ("09/12-16:02:41.000001", Clock(year=2031), "2031-09-12T16:02:41.000Z"),
        ("2031-07-01 12:00:00", Clock(zone="Europe/Vienna"), "2031-07-01T12:00:00.000+02:00"),
        ("2031-01-01 12:00:00", Clock(zone="Europe/Vienna"), "2031-01-01T12:00:00.000+01:00"),
        ("2031-02-30 12:00:00", Clock(), None),
    ],
)
def test_formats(text, clock, moment):
    stamp = timestamps.read(text)
    settled = None if stamp is None else timestamps.settle(stamp, clock)
    assert (None if settled is None else timestamps.iso(settled)) == moment


def test_the_zone_may_stand_elsewhere_in_the_line():
    line = 'date=2031-05-23 time=15:20:07 dev="a" tz="+0200"'
    ((start, end),) = timestamps.find(line)
    stamp = timestamps.read(line[start:end])
    moment = timestamps.settle(stamp, Clock(zone=timestamps.LINE), line=line)
    assert timestamps.iso(moment) == "2031-05-23T15:20:07.000+02:00"


def test_the_next_column_is_no_fraction():
    line = "a,2031/11/30 16:09:21,110,any,2031/02/25 00:51:50,192.0.2.1"
    found = [line[a:b] for a, b in timestamps.find(line)]
    assert found == ["2031/11/30 16:09:21", "2031/02/25 00:51:50"]


def test_an_instant_does_not_depend_on_how_it_is_written():
    assert timestamps.instant("2031-05-23T15:20:07.000+02:00") == timestamps.instant(
        "2031-05-23T13:20:07.0004Z"
    )
    assert timestamps.instant("yesterday") is None


@given(st.text(alphabet="0123456789-/:., TZJanFebAPM+\t", max_size=60))
def test_no_text_breaks_reading(text):
    for start, end in timestamps.find(text):
        stamp = timestamps.read(text[start:end])
        assert stamp is None or timestamps.settle(stamp, Clock(), 2031) is not False
