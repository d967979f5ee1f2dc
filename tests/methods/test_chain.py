"""A run is evolved, the result judged, and that published: each takes what the one before wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hf_oss_instruct as oss
from hf_oss_instruct.api import HOOKS
from hf_oss_instruct.publishing.folders import PublishOptions, push_of
from tests.methods.test_judge import score
from tests.support import evolving
from tests.support.teacher import Answer, LocalTeacher

UNCHECKED = oss.Checks(benchmarks=())
REVIEW, EVOLVE, ANSWER = "You review a programming problem", "Make a new and harder problem", "Here is a programming problem"


def answer(body: dict[str, Any]) -> Answer:
    """A pair, a harder problem, a solution or scores."""
    text = body["messages"][-1]["content"]
    if REVIEW in text:
        return score(body)
    if EVOLVE in text or ANSWER in text:
        return evolving.answer(body)
    number = 2000 + sum(map(ord, text))
    return Answer(text=f"[Problem Description]\n{evolving.problem(number)}\n\n[Solution]\n{evolving.solution(number)}")


def test_a_run_is_evolved_judged_and_published(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    for number in range(3):
        (tmp_path / "code" / f"{number}.py").write_text(f"def f_{number}(x):\n    return x + {number} ** 2\n")
    with LocalTeacher(answer) as server:
        model = oss.InferenceTeacher("m", server.base_url)
        seeds = oss.read_seeds(str(tmp_path / "code"), n=3, filters=())
        oss.synthesize_to_disk(seeds, model, tmp_path / "pairs", checks=UNCHECKED)
        evolved = oss.evolve(tmp_path / "pairs", tmp_path / "harder", teacher=model, rounds=2, checks=UNCHECKED)
        judged = oss.judge_rows(tmp_path / "harder", tmp_path / "judged", judges=[model])
    assert (evolved["kept"], judged["kept"]) == (6, 6)
    options = PublishOptions(allow_unchecked=True, allow_any_license=True)
    for name, said in (("harder", "## Evolution"), ("judged", "## Scores")):
        push = push_of(tmp_path / name, "me/harder", options, HOOKS)
        card = push.files["README.md"]
        assert isinstance(card, bytes)
        assert said in card.decode()
        assert [path for path in push.files if path.startswith("data/")]
