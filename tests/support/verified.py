"""A teacher that answers with pairs and tests of known kinds: right, wrong, vacuous, flaky, hanging, hostile, not verifiable.

Which kind a row gets depends on the snippet alone, so that a run that was killed asks for the same again.
"""

from __future__ import annotations

import re
from typing import Any

from tests.support.teacher import Answer, LocalTeacher

KINDS = ("right", "wrong", "vacuous", "hanging", "hostile", "flask", "none")
"""Of the row whose snippet holds `kind = 'right'` and so on; what else is asked about gets `right`."""
EXPECTED = {
    "right": "passed",
    "wrong": "tests_failed",
    "vacuous": "tests_vacuous",
    "hanging": "tests_failed",
    "hostile": "tests_failed",
    "flask": "not_verifiable",
    "none": "tests_missing",
}
BODIES = {
    "wrong": "return sorted(values)[:{n}]",
    "hanging": "import time\n    time.sleep(3600)",
    "partly": "values.sort(reverse=len(values) > 1)\n    return values[-{n}:]",
    "hostile": "import os\n    os._exit(0)",
    "flask": "return flask.sorted(values)[-{n}:]",
}
NOUNS = ("parcel", "comet", "ledger", "violin", "harbor", "walnut", "turbine", "glacier", "lantern", "meadow", "anchor", "orchid")
VERBS = ("weighed", "painted", "audited", "shipped", "repaired", "sampled", "ranked", "traded", "archived", "measured")


def pair(number: int, kind: str) -> tuple[str, str, str]:
    """Problem, solution and tests of a row."""
    n, name = number % 5 + 2, f"largest_{number}"
    noun, verb, other = NOUNS[number % 12], VERBS[number % 10], NOUNS[(number * 5 + 3) % 12]
    problem = (
        f"Every {noun} number {number} in the {other} house was {verb} and got a whole number as its grade. Write a function "
        f"`{name}(values)` that returns the {n} greatest grades as a list in ascending order, or all of them if there are fewer."
    )
    body = BODIES.get(kind, "return sorted(values)[-{n}:]").format(n=n)
    imports = "import flask\n\n\n" if kind == "flask" else ""
    solution = f"```python\n{imports}def {name}(values):\n    {body}\n```"
    values = list(range(number % 7, number % 7 + n + 3))
    tests = (
        f"def test_it_gives_the_greatest():\n    assert {name}({values[::-1]}) == {values[-n:]}\n\n\n"
        f"def test_few_are_all_returned():\n    assert {name}([3]) == [3]\n\n\n"
        f"def test_negative_grades_count():\n    assert {name}({[-v for v in values]}) == {sorted(-v for v in values)[-n:]}\n"
    )
    if kind == "vacuous":
        tests = f"def test_it_can_be_called():\n    {name}([1, 2, 3])\n\n\ndef test_nothing():\n    assert True\n"
    return problem, solution, "" if kind == "none" else f"```python\n{tests}```"


def snippet(number: int, kind: str) -> str:
    """A source file whose row is of a kind."""
    return f'def of_kind_{number}(value, kind="{kind}"): return value + {number}\n'


def of_messages(messages: list[dict[str, Any]]) -> tuple[int, str]:
    """Number and kind of the row that a question is about."""
    text = "\n".join(message["content"] for message in messages)
    if asked := re.search(r"of_kind_(\d+)", text):
        kind = re.search(r'kind="(\w+)"', text)
        return int(asked[1]), kind[1] if kind else "right"
    found = re.search(r"largest_(\d+)", text)
    return int(found[1]) if found else 0, "right"


def answer(body: dict[str, Any]) -> Answer:
    """A pair, with tests if they are asked for in the same answer; or tests, a solution or a repair alone."""
    number, kind = of_messages(body["messages"])
    text = body["messages"][-1]["content"]
    problem, solution, tests = pair(number, kind)
    if "A solution of the programming problem below fails" in text or text.startswith("Solve the programming problem"):
        return Answer(text=pair(number, "right")[1])
    if text.startswith("Write tests"):
        return Answer(text=f"[Tests]\n{tests}")
    three = f"\n\n[Tests]\n{tests}" if "[Tests]" in text else ""
    return Answer(text=f"[Problem Description]\n{problem}\n\n[Solution]\n{solution}{three}\n")


def verifying_teacher() -> LocalTeacher:
    """The teacher, as a server."""
    return LocalTeacher(answer)
