"""The page: one HTML file that needs no network, allows no script but its own, and shows every text as text."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hf_oss_instruct.reporting.charts.drawing import svg
from hf_oss_instruct.reporting.charts.figures import Figure
from hf_oss_instruct.reporting.charts.vega_lite import Sets
from hf_oss_instruct.reporting.page.sections import sections
from hf_oss_instruct.terminal.display import visible


def page(
    sets: Sets,
    figures: list[Figure],
    *,
    browser: Mapping[str, Any] | None = None,
    left_out: int = 0,
) -> str:
    """Render the page.

    Args:
        sets: a dataset's name → its numbers; the first one is the subject of the page, another one is compared with it.
        figures: its figures.
        browser: configuration of the row browser: `problem`, `solution` (names of columns) and `served` (whether a server
            answers it); None for a page without one.
        left_out: how many rows are too many for a browser on this page, which says so; 0 if they are not.
    """
    config = _script_json(browser) if browser else ""
    scripts = [_vendored("highlight.min.js"), _template("page.js")] if browser else []
    css = _template("page.css")
    # By name and title, since two datasets have a map each.
    drawn = {
        figure.name + figure.title: Markup(svg(figure.spec, figure.title, f"f{number}")) for number, figure in enumerate(figures)
    }
    name, numbers = next(iter(sets.items()))
    return (
        environment()
        .get_template("page.html")
        .render(
            title=visible(name),
            lead=lead(numbers, list(sets)[1:]),
            facts=facts(numbers),
            outcome=_outcome(numbers["funnel"]),
            sections=sections(sets, figures, drawn),
            browser=bool(browser),
            left_out=f"{left_out:,}" if left_out else "",
            config=Markup(config),
            scripts=[Markup(script) for script in scripts],
            css=Markup(css),
            policy=policy(css, scripts, served=bool(browser and browser.get("served"))),
            footer=f"Made with hf-oss-instruct {numbers['version']} from the rows alone. The same numbers are in report.json.",
        )
    )


def policy(css: str, scripts: list[str], *, served: bool) -> str:
    """The content security policy: only these scripts and styles, and what these scripts load; no other host.

    Args:
        css: the style sheet.
        scripts: the scripts; none may run if there are none.
        served: whether the page may ask its own server.
    """
    allowed = [_hash(script) for script in scripts]
    rules = {
        "default-src": ["'none'"],
        # `strict-dynamic`: the page's own scripts may load the scripts with the rows, whose hashes are not known.
        "script-src": [*allowed, "'strict-dynamic'"] if allowed else ["'none'"],
        "style-src": [_hash(css)],
        "img-src": ["data:"],
        "connect-src": ["'self'"] if served else ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    return "; ".join(f"{name} {' '.join(values)}" for name, values in rules.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def lead(numbers: Mapping[str, Any], others: list[str]) -> str:
    """A description of the dataset in one sentence."""
    funnel, cost = numbers["funnel"], numbers["cost"]
    text = f"{funnel['kept']:,} of {funnel['requested']:,} rows kept"
    text += f", written by {cost['teacher']}" if cost else ""
    return text + (f"; compared with {visible(', '.join(others))}." if others else ".")


def facts(numbers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The most important numbers, at the top: name and value."""
    funnel, diversity, lengths = (numbers[name] or {} for name in ("funnel", "diversity", "lengths"))
    lines = [("rows kept", f"{funnel['kept']:,}"), ("rejected", f"{sum(funnel['rejected'].values()):,}")]
    if funnel["pending"]:
        lines.append(("pending", f"{funnel['pending']:,}"))
    if diversity.get("rows"):
        lines.append(("distinct tasks", f"{diversity['distinct_tasks']:,}"))
    for part in ("problem", "solution"):
        if part in lengths:
            lines.append((f"tokens of a {part}", f"{lengths[part]['mean']:,.0f}"))
    lines += [
        (f"similarity to {similarity['benchmark']}", f"{similarity['mean_of_maxima']:.3f}")
        for similarity in numbers["similarity"]
        if "mean_of_maxima" in similarity
    ]
    if (verified := numbers["verification"]) and "pass_rate" in verified:
        lines.append(("pass rate", f"{verified['pass_rate']['mean']:.1%}"))
    if (cost := numbers["cost"]) and cost["cost"]:
        lines.append(("cost", f"{cost['cost']:,.2f}"))
    return lines


def _outcome(funnel: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Kept, rejected and pending seeds as parts of a bar 1,000 wide."""
    total, start, parts = funnel["requested"], 0.0, []
    for name, rows in (("kept", funnel["kept"]), ("rejected", sum(funnel["rejected"].values())), ("pending", funnel["pending"])):
        if rows and total:
            parts.append(
                {"start": round(start, 1), "width": round(1000 * rows / total, 1), "label": f"{name} {rows / total:.1%}"}
            )
            start += 1000 * rows / total
    return parts if len(parts) > 1 else []


def _script_json(value: Any) -> str:
    """JSON that cannot end the script element that contains it."""
    return orjson.dumps(value).decode().replace("<", "\\u003c")


@cache
def environment() -> Environment:
    """Templates that show every text as text."""
    made = Environment(loader=PackageLoader(__package__), undefined=StrictUndefined, autoescape=True, trim_blocks=True)
    # Every value that a template prints goes through it.
    made.finalize = _shown
    return made


def _shown(value: Any) -> Any:
    """Control and bidirectional characters of any text on the page, spelled out."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _template(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text("utf-8")


@cache
def _vendored(name: str) -> str:
    return (files(__package__) / "vendor" / name).read_text("utf-8")
