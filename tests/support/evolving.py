"""A teacher for Evol-Instruct: it makes problems of known kinds and solves them, as a function of the question alone.

Which kind an evolved problem has depends on the number in its parent, so that a run that was killed asks for the same again.
"""

from __future__ import annotations

import hashlib
import random
import re
from typing import Any

from tests.support.teacher import Answer, LocalTeacher

KINDS = ("good", "good", "good", "unchanged", "too_short", "refused", "prompt_leaked", "copied")
"""Kind of the row with a number, modulo their count; evolved problems have numbers above 1000 and are good."""
WORDS = (
    "harbor violin comet ledger walnut turbine glacier lantern meadow anchor orchid quarry saddle beacon parcel timber "
    "copper ribbon cellar mosaic pepper tunnel candle garden bridge basket hammer needle pillow rocket"
).split()
SPREAD = "Sorting comes first of all, then every {} is weighed against each {} while {} and {} wait for the {} of a {}."


def kind_of(number: int) -> str:
    """What becomes of the first round of a row."""
    return KINDS[number % len(KINDS)] if number < 1000 else "good"


def problem(number: int) -> str:
    """A problem with words of its own."""
    dice = random.Random(number)
    story = " ".join(SPREAD.format(*dice.sample(WORDS, 6)) for _ in range(3))
    return (
        f"Task number {number}. {story} Write a function `solve_{number}(values)` that returns the sum of values plus {number}."
    )


def solution(number: int) -> str:
    """The solution of a problem."""
    return f"Add them up.\n\n```python\ndef solve_{number}(values):\n    return sum(values) + {number}\n```"


def row(number: int) -> dict[str, Any]:
    """A row to evolve."""
    return {"problem": problem(number), "solution": solution(number), "lang": "python"}


def answer(body: dict[str, Any]) -> Answer:
    """An evolved problem, a solution, or tests."""
    text = body["messages"][-1]["content"]
    found = re.search(r"Task number (\d+)\.", text)
    number = int(found[1]) if found else 0
    if text.startswith("Write tests"):
        return Answer(text=f"[Tests]\n```python\ndef test_sum():\n    assert solve_{number}([1, 2]) == {number + 3}\n\n\n"
                           f"def test_none():\n    assert solve_{number}([]) == {number}\n```")  # fmt: skip
    if "Make a new and harder problem" not in text:
        return Answer(text=solution(int(copied[1]) if (copied := re.search(r"copy of (\d+)", text)) else number))
    new = 1000 + int(hashlib.sha256(text.encode()).hexdigest()[:6], 16)
    evolved = f"[Problem Description]\n{problem(new)}"
    answers = {
        "unchanged": f"[Problem Description]\n{problem(number)} Be quick.",
        "too_short": "Sort it.",
        "refused": "I'm sorry, but I cannot rewrite this problem for you.",
        "prompt_leaked": f"{evolved} It is worded anew from its first sentence to its last.",
        "copied": f"{evolved} (A copy of {number}.)",
    }
    return Answer(text=answers.get(kind_of(number), evolved))


def evolving_teacher() -> LocalTeacher:
    """The teacher, as a server."""
    return LocalTeacher(answer)
