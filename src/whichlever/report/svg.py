"""Vega-Lite charts drawn to SVG in this process, and cleaned down to plain shapes and text.

Nothing is fetched: the renderer is given no base URL, and what it returns is parsed and rebuilt
from an allow-list, so that a page with it inside holds no link, script or foreign reference
whatever the data said. Ids are renumbered and coordinates rounded: the same chart is the same
bytes.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

_SVG = "{http://www.w3.org/2000/svg}"
_TAGS = frozenset(
    {"svg", "g", "path", "rect", "line", "text", "tspan", "defs", "clipPath", "circle"}
)
_ATTRIBUTES = frozenset(
    {
        "width", "height", "viewBox", "transform", "d", "x", "y", "x1", "x2", "y1", "y2", "dx",
        "dy", "cx", "cy", "r", "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity",
        "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "opacity",
        "text-anchor", "font-size", "font-weight", "font-style", "clip-path", "id",
    }
)  # fmt: skip
_DECIMALS = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
_GEOMETRY = frozenset({"d", "transform", "x", "y", "x1", "x2", "y1", "y2", "width", "height"})
_CLIP = re.compile(r"^url\(#([A-Za-z0-9_-]+)\)$")
_COLOUR = re.compile(r"^(?:#[0-9a-fA-F]{3,8}|none|transparent|currentColor|[a-z]+)$")


def draw_svg(chart: Any, *, key: str, title: str, summary: str) -> str:  # noqa: ANN401 - altair
    """Draw a chart as an SVG element that can stand inside a page.

    Parameters
    ----------
    chart : altair.TopLevelMixin
        The chart; its data is inline.
    key : str
        Distinguishes this chart's ids from those of the others on the page.
    title, summary : str
        What a screen reader says of the picture; already safe to show.
    """
    import vl_convert

    drawn = vl_convert.vegalite_to_svg(
        chart.to_dict(validate=False), vl_version="6.1", allowed_base_urls=[]
    )
    root = ET.fromstring(drawn)  # noqa: S314 - written by the renderer: no entities, no DTD
    _clean(root)
    _renumber(root, key)
    width, height = root.get("width", "0"), root.get("height", "0")
    root.attrib = {
        "viewBox": root.get("viewBox", f"0 0 {width} {height}"),
        "width": width,
        "height": height,
        "role": "img",
        "aria-labelledby": f"{key}-title {key}-summary",
    }
    for place, (name, text) in enumerate((("title", title), ("desc", summary))):
        element = ET.Element(_SVG + name, {"id": f"{key}-{'title' if place == 0 else 'summary'}"})
        element.text = text
        root.insert(place, element)
    return _without_namespace(root)


def draw_png(chart: Any, scale: float = 2.0) -> bytes:  # noqa: ANN401 - altair
    """Draw a chart as PNG bytes on white."""
    import vl_convert

    drawn: bytes = vl_convert.vegalite_to_png(
        {**chart.to_dict(validate=False), "background": "#ffffff"},
        vl_version="6.1",
        scale=scale,
        allowed_base_urls=[],
    )
    return drawn


def _clean(element: ET.Element) -> None:
    """Drop every element and attribute that is not plain drawing, and what draws nothing."""
    for name, value in list(element.attrib.items()):
        bad_paint = name in ("fill", "stroke") and not _COLOUR.match(value)
        bad_clip = name == "clip-path" and not _CLIP.match(value)
        if name not in _ATTRIBUTES or bad_paint or bad_clip:
            del element.attrib[name]
        elif name in _GEOMETRY:
            element.set(name, _DECIMALS.sub(_rounded, value))
    for child in list(element):
        tag = child.tag.removeprefix(_SVG) if isinstance(child.tag, str) else ""
        if tag not in _TAGS or child.get("display") == "none":
            element.remove(child)
            continue
        _clean(child)
        invisible = tag == "path" and (child.get("d", "") in ("", "M0,0h0v0h0Z"))
        if invisible or (tag in ("g", "defs") and len(child) == 0):
            element.remove(child)


def _rounded(match: re.Match[str]) -> str:
    text = f"{float(match.group()):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _renumber(root: ET.Element, key: str) -> None:
    """Name clip paths by their order in this chart, not by the renderer's running count."""
    names: dict[str, str] = {}
    for element in root.iter():
        if element.get("id") is not None:
            names[element.attrib["id"]] = f"{key}-clip{len(names)}"
            element.set("id", names[element.attrib["id"]])
    for element in root.iter():
        clip = _CLIP.match(element.get("clip-path", ""))
        if clip:
            if clip.group(1) in names:
                element.set("clip-path", f"url(#{names[clip.group(1)]})")
            else:
                del element.attrib["clip-path"]


def _without_namespace(root: ET.Element) -> str:
    """Serialise without prefixes: inside HTML the parser knows what ``svg`` is."""
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
    return ET.tostring(root, encoding="unicode", short_empty_elements=True)
