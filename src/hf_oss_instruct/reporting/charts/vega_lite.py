"""The charts of a report as Vega-Lite specifications, one for each question.

A chart compares datasets: every function takes a mapping from a dataset's name to its numbers, which has one or two entries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from hf_oss_instruct.terminal.display import one_line

ReportNumbers: TypeAlias = Mapping[str, Any]
Spec: TypeAlias = dict[str, Any]
Sets: TypeAlias = Mapping[str, ReportNumbers]
WIDTH, HEIGHT = 360, 200
MAP_SIZE = 560, 400
MAX_BARS = 10
"""Bars of a chart; the table beside it has all values."""
CAPTION, BAR, GAP = 17, 13, 8
"""Heights in pixels: of the label above the bars of a value, of a bar, and of the space below."""
LABEL_CHARS = 46
"""Characters of a label."""


def bars(values: Mapping[str, Mapping[str, float]], unit: str, *, good: str = "", of_rows: bool = True) -> Spec | None:
    """Horizontal bars with their numbers; None if there is nothing to show.

    Args:
        values: a dataset's name → label → rows; of several datasets, shares of each are shown.
        unit: the title.
        good: the label of what is wanted, if the bars of one dataset are to have two colors.
        of_rows: whether the values count rows; otherwise they are means, of which there are no shares.
    """
    shares = of_rows and len(values) > 1
    labels = list(dict.fromkeys(label for counts in values.values() for label in counts))[:MAX_BARS]
    data: list[dict[str, Any]] = [
        {
            "label": label,
            "shown": one_line(label, LABEL_CHARS),
            "value": counts.get(label, 0),
            "dataset": name,
            "text": number(counts.get(label, 0), of_rows),
        }
        for name, counts in (_shares(values) if shares else values).items()
        for label in labels
    ]
    if not (highest := max((float(entry["value"]) for entry in data), default=0)):
        return None
    for entry in data if shares else ():
        entry["text"] = f"{entry['value']:.1%}"
    step = CAPTION + BAR * len(values) + GAP
    each: Spec = {"y": {"field": "label", "type": "nominal", "sort": labels, "axis": None, "scale": {"padding": 0}}}
    beside: Spec = {"yOffset": {"field": "dataset", "sort": list(values), "scale": {"range": [CAPTION, step - GAP]}}}
    # Room for the number at the end of the longest bar.
    scale = {"domain": [0, 1.18 * highest], "nice": False}
    length: Spec = {"x": {"field": "value", "type": "quantitative", "axis": None, "scale": scale}}
    # A label stands above its bars, from the left edge: there it has room, whatever font a browser draws it with.
    caption = {
        "transform": [{"filter": {"field": "dataset", "equal": next(iter(values))}}],
        "mark": {"type": "text", "align": "left", "baseline": "top", "dy": 1},
        "encoding": {"text": {"field": "shown"}, "x": {"value": 0}, "y": {**each["y"], "bandPosition": 0}},
    }
    color = _color_by_dataset(values) or _highlight(good)
    bar = {"mark": {"type": "bar", "cornerRadiusEnd": 3}, "encoding": {**each, **beside, **length, **color}}
    text = {
        "mark": {"type": "text", "align": "left", "dx": 5},
        "encoding": {**each, **beside, **length, "text": {"field": "text"}},
    }
    return _spec(data, encoding={}, layer=[bar, text, caption], height=step * len(labels), title=unit)


def histogram(
    values: Mapping[str, Sequence[Sequence[float]]], unit: str, *, mean: Mapping[str, float] | None = None
) -> Spec | None:
    """Distribution of rows, as shares of each dataset; None if there is nothing to show.

    Args:
        values: a dataset's name → its bins, each (first, end, rows).
        unit: the title of the axis.
        mean: a dataset's name → its mean, for a dashed line.
    """
    data = []
    for name, bins in values.items():
        total = sum(rows for *_, rows in bins) or 1
        # Bins of whole numbers end with their last number, others where the next one begins.
        step = bins[0][1] - bins[0][0] + (1 if isinstance(bins[0][0], int) else 0) if bins else 1
        data += [{"from": low, "to": low + step, "share": rows / total, "dataset": name} for low, _, rows in bins]
    if not data:
        return None
    several = len(values) > 1
    encoding = {
        "x": {"field": "from", "type": "quantitative", "title": unit, "axis": {"tickCount": 6, "grid": False}},
        "x2": {"field": "to"},
        "y": {"field": "share", "type": "quantitative", "title": None, "axis": {"format": "%", "tickCount": 4}, "stack": None},
        "y2": {"datum": 0},
    }
    layer: list[Spec] = [
        {"mark": {"type": "bar", "opacity": 0.6 if several else 1, "binSpacing": 0.5}, "encoding": _color_by_dataset(values)}
    ]
    if mean:
        layer += [
            {
                "data": {
                    "values": [
                        {"at": value, "text": f"mean {value:,.3g}" if value < 10 else f"mean {value:,.0f}", "dataset": name}
                    ]
                },
                "mark": {"type": "rule", "strokeDash": [4, 3], "strokeWidth": 1.5},
                "encoding": {"x": {"field": "at", "type": "quantitative"}, "x2": None, "y": None, "y2": None},
            }
            for name, value in mean.items()
        ]
    return _spec(data, encoding=encoding, layer=layer)


def lines(values: Mapping[str, Sequence[Sequence[float]]], x: str, y: str) -> Spec | None:
    """Curves; None if there are fewer than two points.

    Args:
        values: a series' name → its points, each (x, y).
        x: title of the horizontal axis.
        y: title of the vertical axis.
    """
    data = [{"x": point[0], "y": point[1], "dataset": name} for name, points in values.items() for point in points]
    if len(data) < 2:
        return None
    encoding = {
        "x": {"field": "x", "type": "quantitative", "title": x, "axis": {"tickCount": 6, "grid": False, "format": ",d"}},
        "y": {"field": "y", "type": "quantitative", "title": y, "scale": {"zero": False}, "axis": {"tickCount": 5}},
    }
    return _spec(
        data, encoding=encoding, layer=[{"mark": {"type": "line", "strokeWidth": 2}, "encoding": _color_by_dataset(values)}]
    )


def intervals(rows: Sequence[Mapping[str, Any]]) -> Spec | None:
    """Scores with their 95 % intervals: `label`, `mean`, `low` and `high` as fractions, and `dataset`."""
    data = [dict(row) | {"shown": one_line(row["label"], 34)} for row in rows]
    if not data:
        return None
    sets = dict.fromkeys(row["dataset"] for row in data)
    labels = list(dict.fromkeys(row["shown"] for row in data))
    encoding: Spec = {"y": {"field": "shown", "type": "nominal", "sort": labels, "title": None, "axis": {"labelLimit": 190}}}
    if len(sets) > 1:
        encoding["yOffset"] = {"field": "dataset", "sort": list(sets)}
    axis = {"format": "%", "tickCount": 5}
    layer = [
        {
            "mark": {"type": "rule", "strokeWidth": 2},
            "encoding": {
                "x": {"field": "low", "type": "quantitative", "title": None, "axis": axis},
                "x2": {"field": "high"},
                **_color_by_dataset(sets),
            },
        },
        {
            "mark": {"type": "point", "filled": True, "size": 70},
            "encoding": {"x": {"field": "mean", "type": "quantitative"}, **_color_by_dataset(sets)},
        },
    ]
    return _spec(data, encoding=encoding, layer=layer, height=30 * len(labels) * (1.4 if len(sets) > 1 else 1) + 6)


def map_of(numbers: ReportNumbers, link: Callable[[int], str] | None = None) -> Spec | None:
    """Rows as points, similar ones near each other; a cluster is a shape, a color and a number."""
    points = numbers.get("map") or []
    if not points:
        return None
    data = [
        {"x": x, "y": y, "cluster": f"{cluster + 1}"} | ({"link": link(row)} if link else {}) for row, cluster, x, y in points
    ]
    names = sorted({point["cluster"] for point in data}, key=int)
    plain = {"axis": None, "scale": {"domain": [-0.04, 1.04], "nice": False}}
    encoding = {"x": {"field": "x", "type": "quantitative", **plain}, "y": {"field": "y", "type": "quantitative", **plain}}
    color = {"field": "cluster", "type": "nominal", "sort": names, "legend": None, "scale": {"range": "ordinal"}}
    shape = {"field": "cluster", "type": "nominal", "sort": names, "legend": None}
    # The median: a few points far away would move a mean out of its cluster.
    centers = [
        {
            "x": _median([point["x"] for point in data if point["cluster"] == name]),
            "y": _median([point["y"] for point in data if point["cluster"] == name]),
            "cluster": name,
        }
        for name in names
    ]
    href: Spec = {"href": {"field": "link"}} if link else {}
    layer: list[Spec] = [
        {
            "mark": {"type": "point", "filled": True, "size": 34, "opacity": 0.85},
            "encoding": {"color": color, "shape": shape, **href},
        },
        {
            "data": {"values": centers},
            "mark": {
                "type": "text",
                "fontSize": 20,
                "fontWeight": "bold",
                "stroke": "paper",
                "strokeWidth": 4,
                "strokeJoin": "round",
            },
            "encoding": {"text": {"field": "cluster"}},
        },
        {
            "data": {"values": centers},
            "mark": {"type": "text", "fontSize": 20, "fontWeight": "bold"},
            "encoding": {"text": {"field": "cluster"}},
        },
    ]
    return _spec(data, encoding=encoding, layer=layer, width=MAP_SIZE[0], height=MAP_SIZE[1])


def _spec(
    data: Sequence[Mapping[str, Any]],
    *,
    encoding: Spec,
    layer: Sequence[Spec],
    width: float = WIDTH,
    height: float = HEIGHT,
    title: str | None = None,
) -> Spec:
    spec: Spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": width,
        "height": height,
        # Labels of an axis take their room from the width, so that all charts are equally wide.
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"values": list(data)},
        "encoding": encoding,
        "layer": list(layer),
    }
    return spec | ({"title": title} if title else {})


def _color_by_dataset(values: Mapping[str, Any]) -> Spec:
    """A color for each dataset, with a legend if there are several."""
    if len(values) < 2:
        return {}
    legend = {"title": None, "orient": "top", "labelLimit": 160}
    return {"color": {"field": "dataset", "type": "nominal", "sort": list(values), "legend": legend}}


def _highlight(label: str) -> Spec:
    """One color for a label, another for all others; the theme says which."""
    if not label:
        return {}
    # Only labels of ours come here: a quotation mark in one would end the text of the expression.
    return {"color": {"condition": {"test": f"datum.label === '{label}'", "value": "first"}, "value": "second"}}


def number(value: float, of_rows: bool = True) -> str:
    """A number of rows, or a mean, for readers."""
    return f"{value:,}" if of_rows else f"{value:.2f}"


def _shares(values: Mapping[str, Mapping[str, float]]) -> Mapping[str, Mapping[str, float]]:
    return {
        name: {label: count / (sum(counts.values()) or 1) for label, count in counts.items()} for name, counts in values.items()
    }


def _median(numbers: Sequence[float]) -> float:
    return sorted(numbers)[len(numbers) // 2]
