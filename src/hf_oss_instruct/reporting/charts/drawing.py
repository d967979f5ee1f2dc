"""Draw charts: SVG whose colors follow the page, PNG for a card. vl-convert renders Vega-Lite without a browser or network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from markupsafe import escape

from hf_oss_instruct.terminal.display import visible

FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"
PNG_SCALE = 2.0
_INHERITED = frozenset(
    (
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
        "__proto__",
    )
) | {f"__{what}{kind}__" for what in ("define", "lookup") for kind in ("Getter", "Setter")}
"""Properties of every JavaScript object."""
_ID = re.compile(r'(id="|url\(#|href="#)((?:clip|gradient)[_\d]+)')
_LINK = re.compile(r'<a xlink:href="[^"#]*#row=([^"]*)"[^>]*>')
"""A point that opens a row. No link: nobody wants to pass 1,500 points by keyboard, and the browser lists the same rows."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colors of a chart: any CSS color, also a variable of the page."""

    ink: str
    muted: str
    line: str
    paper: str
    series: tuple[str, str, str, str]
    clusters: tuple[str, ...]
    background: str | None = None
    font: str = FONT


PAGE = Theme(
    "var(--ink)",
    "var(--muted)",
    "var(--line)",
    "var(--card)",
    ("var(--one)", "var(--two)", "var(--three)", "var(--four)"),
    tuple(f"var(--c{number})" for number in range(10)),
)
"""Colors that the page defines for light and dark."""
CARD = Theme(
    "#1c2430",
    "#566274",
    "#e3e6ea",
    "#ffffff",
    ("#256d8a", "#c4682b", "#6a7f2a", "#8a5aa5"),
    ("#256d8a", "#c4682b", "#5f9e3a", "#a8468f", "#c9a227", "#3d8f83", "#c0504d", "#6b5bb5", "#7a6652", "#4f81bd"),
    "#ffffff",
    "Arial, sans-serif",
)
"""Colors of a picture with a white background, which is readable on a light and on a dark page."""


def svg(spec: dict[str, Any], title: str, prefix: str) -> str:
    """A chart as SVG for the page: one picture for a screen reader, as wide as its container.

    Args:
        spec: from `charts`.
        title: a description of the picture.
        prefix: makes the identifiers in it differ from those of the page's other charts.
    """
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(_themed(spec, PAGE))
    drawn = _LINK.sub(r'<g data-row="\1">', drawn).replace("</a>", "</g>")
    # Charts on one page share a namespace of ids: one would be clipped by another's path.
    drawn = _ID.sub(rf"\g<1>{prefix}-\g<2>", drawn)
    # Without its opening tag, whose width and height are fixed.
    body = drawn[drawn.index(">") + 1 :]
    box = re.search(r'viewBox="[\d. -]+"', drawn)
    return f'<svg {box[0] if box else ""} role="img" aria-label="{escape(visible(title))}" class="chart">{_without_marks(body)}'


def png(spec: dict[str, Any], title: str) -> bytes:
    """A chart as PNG for a card, with its title in it."""
    import vl_convert

    drawn: bytes = vl_convert.vegalite_to_png(_titled(spec, title), scale=PNG_SCALE)
    return drawn


def svg_image(spec: dict[str, Any], title: str) -> str:
    """A chart as a standalone file that includes its title."""
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(_titled(spec, title))
    return drawn


def _titled(spec: dict[str, Any], title: str) -> dict[str, Any]:
    return _themed(spec, CARD) | {"title": {"text": _plain(title), "anchor": "start", "fontSize": 14}, "padding": 14}


def _without_marks(body: str) -> str:
    """Without what only assistive technology would read: the table beside the chart is better for that."""
    return re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", body)


def _plain(value: Any) -> Any:
    """A copy of a part of a specification whose texts vl-convert can draw.

    A character that XML forbids would end this process. Vega looks values up in JavaScript objects, where `constructor` and the
    like are always found; a space makes them other names, and is not seen.
    """
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return f"{value} " if value in _INHERITED else visible(value)
    return value


def _themed(spec: dict[str, Any], theme: Theme) -> dict[str, Any]:
    themed = {key: _plain(value) for key, value in spec.items() if key != "title"}
    for layer in themed["layer"]:
        # `vega_lite` knows no colors: the halo of a text and the two colors of bars are filled in here.
        if layer["mark"].get("stroke") == "paper":
            layer["mark"]["stroke"] = theme.paper
        if "condition" in (color := layer.get("encoding", {}).get("color", {})):
            color["condition"]["value"], color["value"] = theme.series[:2]
    axis = {"labelColor": theme.muted, "titleColor": theme.muted, "gridColor": theme.line, "domain": False, "ticks": False}
    axis |= {"labelFontSize": 13, "titleFontSize": 12, "titleFontWeight": "normal", "labelPadding": 6, "titlePadding": 8}
    themed["background"] = theme.background
    themed["config"] = {
        "aria": False,
        "font": theme.font,
        "view": {"stroke": None},
        "axis": axis,
        "axisY": {"labelColor": theme.ink},
        "bar": {"color": theme.series[0]},
        "line": {"color": theme.series[0]},
        "point": {"color": theme.series[0]},
        "rule": {"color": theme.ink},
        "text": {"color": theme.ink, "fontSize": 13},
        "title": {"color": theme.ink},
        "legend": {"labelColor": theme.ink, "labelFontSize": 12},
        "range": {"category": list(theme.series), "ordinal": list(theme.clusters)},
    }
    return themed
