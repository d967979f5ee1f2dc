"""Scores while training: what is asked, judged, logged and kept, and that training itself does not notice."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.training.callbacks import AnswerOutcome, JudgedAnswer, ModelAnswer, Scoring, figures, wilson
from hf_oss_instruct.training.run import train
from tests.support.warm import TRAIN
from tests.training.test_run import losses, written

TASKS = [{"instruction": f"Add {n}.", "n": n} for n in (1, 22, 333)]


def judge(task: Mapping[str, Any], answer: str) -> JudgedAnswer:
    """Passes the first task, fails the second, cannot run the third."""
    outcome = {1: AnswerOutcome.PASSED, 22: AnswerOutcome.FAILED}.get(task["n"], AnswerOutcome.NOT_JUDGED)
    return JudgedAnswer(parsed=task["n"] < 300, outcome=outcome, status="not_evaluated")


@TRAIN.test
def test_scores_are_logged_kept_and_put_on_the_card_and_training_does_not_notice(
    model: Path, pairs: Path, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    words: dict[str, Any] = {"model_name_or_path": str(model), "dataset_name": str(pairs), "max_steps": 3}
    scoring = Scoring(TASKS, judge, every=2, max_new_tokens=6, batch_size=2)
    facts = train(written(tmp_path / "scored", **words), allow_unchecked=True, scoring=scoring)
    train(written(tmp_path / "plain", **words), allow_unchecked=True)
    assert losses(tmp_path / "scored" / "out") == losses(tmp_path / "plain" / "out")

    assert [score["step"] for score in facts["scores"]] == [0, 2, 3]  # before the first step, every second, and the last
    last = facts["scores"][-1]
    assert last["score/pass@1"] == 0.5  # what could not be run counts as neither
    assert last["score/not_judged"] == 1
    assert last["score/parse_rate"] == pytest.approx(2 / 3)
    assert "| 3 | 0.500 |" in (tmp_path / "scored" / "out" / "README.md").read_text()

    # The last answers are those of the saved model, one by one and greedy.
    out = tmp_path / "scored" / "out"
    saved, tokenizer = AutoModelForCausalLM.from_pretrained(out), AutoTokenizer.from_pretrained(out)
    for line, task in zip((out / "scores" / "step-3.jsonl").read_text().splitlines(), TASKS, strict=True):
        message = [{"role": "user", "content": task["instruction"]}]
        ids = tokenizer.apply_chat_template(message, add_generation_prompt=True, return_dict=False, return_tensors="pt")
        with torch.no_grad():
            result = saved.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=6)
        assert json.loads(line)["answer"] == tokenizer.decode(result[0, ids.shape[1] :], skip_special_tokens=True)


@given(st.integers(0, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_rate(case: tuple[int, int]) -> None:
    passed, n = case
    low, high = wilson(passed, n)
    assert 0 <= low <= high <= 1
    if n:
        assert low <= passed / n + 1e-12
        assert passed / n <= high + 1e-12


def test_the_interval_is_wilsons() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)  # Wilson 1927, as tables give it


def test_where_nothing_could_be_judged_there_is_no_rate() -> None:
    result = figures([ModelAnswer("", False)], [JudgedAnswer(False, AnswerOutcome.NOT_JUDGED, "sandbox_error")])
    assert math.isnan(result["score/pass@1"])
    assert (result["score/low"], result["score/high"]) == (0, 1)


def test_a_scoring_without_tasks_is_refused() -> None:
    with pytest.raises(UsageError, match="each with a string under 'instruction'"):
        Scoring([{"prompt": "x"}], judge, every=1)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"every": 0}, "every must be at least 1, not 0."),
        ({"every": "a"}, "every must be a whole number, not 'a'."),
        ({"every": 1.5}, "every must be a whole number, not 1.5."),
        ({"every": 1, "batch_size": True}, "batch_size must be a whole number, not True."),
    ],
)
def test_a_number_that_the_command_would_refuse_is_refused(numbers: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        Scoring(TASKS, judge, **numbers)
