"""Training and scores, as far as the folder has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hf_oss_instruct.terminal.display import one_line

MAX_LOSSES = 400
"""Points of a loss curve that are kept."""


def trainings(reports: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Loss curves and scores while training.

    Args:
        reports: folder → contents of its `training.json`.
    """
    return [
        {
            "folder": folder,
            "base_model": one_line(str(facts.get("base_model") or facts.get("model") or "unknown")),
            "losses": _subsampled(_pairs(facts.get("losses"))),
            "scores": [score for score in facts.get("scores") or [] if isinstance(score, dict)],
        }
        for folder, facts in reports.items()
    ]


def results(reports: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Scores with their intervals, a line for each measure.

    Args:
        reports: folder → contents of its `results.json`.
    """
    lines = []
    for folder, facts in reports.items():
        for tests, measures in _dicts(facts.get("scores")).items():
            for measure, score in _dicts(measures).items():
                if all(isinstance(score.get(part), (int, float)) for part in ("mean", "low", "high")):
                    line = {part: round(float(score[part]), 4) for part in ("mean", "low", "high")}
                    names = {
                        "folder": folder,
                        "task": one_line(str(facts.get("task"))),
                        "tests": one_line(tests),
                        "measure": one_line(measure),
                    }
                    lines.append(names | line | {"problems": score.get("problems")})
    return lines


def _dicts(value: Any) -> dict[str, dict[str, Any]]:
    return {str(name): item for name, item in value.items() if isinstance(item, dict)} if isinstance(value, dict) else {}


def _pairs(value: Any) -> list[list[float]]:
    listed = value if isinstance(value, list) else []
    return [
        [pair[0], pair[1]]
        for pair in listed
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, (int, float)) for part in pair)
    ]


def _subsampled(points: list[list[float]]) -> list[list[float]]:
    """At most `MAX_LOSSES` points, evenly spaced, the last among them."""
    step = -(-len(points) // MAX_LOSSES) or 1
    return points[:-1:step] + points[-1:]
