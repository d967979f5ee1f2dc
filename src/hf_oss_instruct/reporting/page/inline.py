"""A report in a notebook: charts as images, so that nothing in it is a script or reaches into the notebook's own page."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from hf_oss_instruct.reporting.charts.drawing import svg_image
from hf_oss_instruct.reporting.charts.figures import Figure
from hf_oss_instruct.reporting.charts.vega_lite import Sets
from hf_oss_instruct.reporting.page.html import environment, facts, lead


def inline(sets: Sets, figures: Sequence[Figure]) -> str:
    """HTML for the output of a cell.

    Args:
        sets: a dataset's name → its numbers; several are compared.
        figures: their figures.
    """
    name, numbers = next(iter(sets.items()))
    shown = [
        {
            "title": figure.title,
            "note": figure.note,
            "head": figure.head,
            "rows": figure.rows,
            "image": base64.b64encode(svg_image(figure.spec, figure.title).encode()).decode(),
            "wide": figure.name == "map",
        }
        for figure in figures
    ]
    return (
        environment()
        .get_template("inline.html")
        .render(title=name, lead=lead(numbers, list(sets)[1:]), facts=facts(numbers), figures=shown)
    )
