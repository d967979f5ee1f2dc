"""Plot the loss of a training run as SVG, without a plotting library as a dependency.

The Hub displays SVG files of a repository as images (huggingface/hub-docs#1481).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 300, 64, 34, 20, 44
"""Pixels: size of the image, and margins around the curve."""
TICKS = 4
GREY, BLUE = "#808080", "#4c78a8"
"""Colors that are readable on white and on black."""


def loss_curve(losses: Sequence[tuple[int, float]]) -> str:
    """Plot a loss over steps.

    Args:
        losses: (step, loss in nats per token), in order of the steps; NaN and infinite losses leave a gap.

    Returns:
        The SVG; an empty string if fewer than two losses are finite.
    """
    points = [(int(step), float(loss)) for step, loss in losses]
    known = [loss for _, loss in points if math.isfinite(loss)]
    if len(known) < 2:
        return ""
    first, last = points[0][0], points[-1][0]
    low, high = min(known), max(known)

    def point(step: int, loss: float) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - RIGHT) * (step - first) / max(1, last - first)
        # A constant loss is drawn in the middle.
        y = TOP + (HEIGHT - TOP - BOTTOM) * ((high - loss) / (high - low) if high > low else 0.5)
        return round(x, 1), round(y, 1)

    lines = [
        f'<polyline points="{" ".join(f"{x},{y}" for x, y in part)}" fill="none" stroke="{BLUE}" stroke-width="2"/>'
        for part in _segments([point(step, loss) if math.isfinite(loss) else None for step, loss in points])
    ]
    marks = [
        _grid_line(low + (high - low) * n / TICKS, point(first, low + (high - low) * n / TICKS)[1]) for n in range(TICKS + 1)
    ]
    steps = [
        _text(point(step, low)[0], HEIGHT - BOTTOM + 18, f"{step:,}", "middle") for step in (first, (first + last) // 2, last)
    ]
    title = _text(LEFT, TOP - 14, "training loss, nats per token", "start")
    below = _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "step", "middle")
    box = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return "\n".join([f'{box} font-family="sans-serif" font-size="12">', title, *marks, *steps, below, *lines, "</svg>", ""])


def _segments(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    parts: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            parts.append([])
        else:
            parts[-1].append(point)
    return [part for part in parts if part]


def _grid_line(loss: float, y: float) -> str:
    line = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="{GREY}" stroke-opacity="0.3"/>'
    return line + _text(LEFT - 8, y + 4, f"{loss:.3g}", "end")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{GREY}">{text}</text>'
