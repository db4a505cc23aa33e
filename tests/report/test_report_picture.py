"""The picture for a README, and the cleaning that every drawn chart goes through."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from make_run import MAIN, Spec, make_run

from whichlever.report import plot_png
from whichlever.report.files import read_run
from whichlever.report.svg import _clean, _renumber


def test_the_picture_is_a_png_of_twice_the_width(tmp_path):
    files = read_run(make_run(tmp_path / "run", Spec(levers=("linear", MAIN), rows=60)))
    png = plot_png(files.measures, files.verdict, tmp_path / "quality.png").read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert 1700 < int.from_bytes(png[16:20], "big") < 1900


def test_anything_but_plain_drawing_is_dropped():
    root = ET.fromstring(
        '<svg xmlns="http://www.w3.org/2000/svg" onload="x()" width="9.12345">'
        "<script>x()</script><a href='http://e.example'><text>in a link</text></a>"
        "<image href='http://e.example/x.png'/><style>@import 'x'</style>"
        "<g clip-path='url(#c7)'><rect fill='url(http://e.example)' width='3' onclick='x()'/></g>"
        "<path d='M0,0h1' fill='#123456' style='x'/><foreignObject/>"
        "<defs><clipPath id='c7'><rect width='1'/></clipPath></defs></svg>"
    )
    _clean(root)
    _renumber(root, "key")
    left = ET.tostring(root, encoding="unicode")
    for word in ("script", "example", "link", "style", "onload", "onclick", "foreign", "image"):
        assert word not in left
    assert 'clip-path="url(#key-clip0)"' in left
    assert 'id="key-clip0"' in left
    assert 'fill="#123456"' in left
    assert 'width="9.12"' in left
