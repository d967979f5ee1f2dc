"""Who judges while training: a benchmark's problems, or tasks of one's own, in the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.sandbox.backends import chosen_tier
from hf_oss_instruct.training.callbacks import AnswerOutcome, JudgedAnswer
from hf_oss_instruct.training.judging import scoring
from hf_oss_instruct.training.run import train
from tests.evaluation.real import DATA, real_data
from tests.support.warm import COMMAND, TRAIN
from tests.training.test_run import written

TASK = {"instruction": "Write double(x).", "entry_point": "double", "tests": "assert double(4) == 8\nassert double(0) == 0"}


def tasks(folder: Path, *several: Any) -> str:
    path = folder / "tasks.jsonl"
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in several) + "\n")
    return str(path)


@pytest.mark.parametrize(
    ("answer", "parsed", "passed", "status"),
    [
        ("Like this:\n```python\ndef double(x):\n    return 2 * x\n```\n", True, True, "passed"),
        ("```python\ndef double(x):\n    return x\n```", True, False, "wrong_answer"),
        ("```python\nimport os\ndef double(x):\n    os._exit(0)\n```", True, False, "runtime_error"),
        ("```python\ndef double(x) return 2 * x\n```", False, False, "compile_error"),
        ("I would rather not.", False, False, "compile_error"),
        ("", False, False, "empty_answer"),
    ],
)
def test_tasks_of_ones_own_are_run(tmp_path: Path, answer: str, parsed: bool, passed: bool, status: str) -> None:
    scored = scoring(tasks(tmp_path, TASK), every=1)
    judged = scored.judge(scored.tasks[0], answer)
    assert (judged.parsed, judged.outcome.value, judged.status) == (parsed, passed, status)


def test_what_ran_an_answer_is_recorded_without_isolation_too(tmp_path: Path) -> None:
    answer = "```python\ndef double(x):\n    return 2 * x\n```"
    for tier in (chosen_tier().name, "unsafe-none"):
        scored = scoring(tasks(tmp_path, TASK), every=1, tier=tier)
        assert scored.judge(scored.tasks[0], answer) == JudgedAnswer(True, AnswerOutcome.PASSED, "passed", tier)


@real_data
def test_a_slice_of_a_benchmark_is_spread_over_it() -> None:
    scored = scoring("humaneval_plus", every=1, data=DATA, count=4)
    assert [task["problem"].task_id for task in scored.tasks] == [f"HumanEval/{n}" for n in (0, 41, 82, 123)]
    for task in scored.tasks:
        assert task["problem"].prompt.strip() in task["instruction"]
        assert scored.judge(task, f"```python\n{task['problem'].reference}\n```").status == "passed"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "Line 2 of .*tasks.jsonl is not JSON"),
        ({"instruction": "Write f."}, "has no text 'entry_point'"),
        (TASK | {"tests": ""}, "has no text 'tests'"),
        (TASK | {"language": "klingon"}, "unknown language 'klingon'"),
        ([1], "has no text 'instruction'"),
    ],
)
def test_a_line_that_is_no_task_is_named(tmp_path: Path, line: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        scoring(tasks(tmp_path, TASK, line), every=1)


@TRAIN.test
def test_train_takes_what_the_commands_score_takes(model: Path, pairs: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "scored", model_name_or_path=str(model), dataset_name=str(pairs), max_steps=2)
    facts = train(path, allow_unchecked=True, scoring=Path(tasks(tmp_path, TASK)))
    assert [(score["step"], score["score/tasks"]) for score in facts["scores"]] == [(0, 1), (2, 1)]
    for wrong, why in (
        ("humaneval_minus", "humaneval_minus"),
        (3, r"^scoring must be a Scoring, the name of a benchmark.*not 3"),
    ):
        with pytest.raises(UsageError, match=why):
            train("no-such-recipe.yaml", scoring=cast(Any, wrong))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Pass a \.jsonl file"):
        scoring(str(tmp_path / "none.jsonl"), every=1)


def test_the_command_scores_while_it_trains(model: Path, pairs: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "run", model_name_or_path=str(model), dataset_name=str(pairs), max_steps=2)
    words = ["--allow-unchecked", "--score", tasks(tmp_path, TASK, TASK), "--score-every", "1", "--score-tokens", "8"]
    done = TRAIN.run([COMMAND, "train", path, *words, "--score-count", "1"])
    assert done.returncode == 0, done.stderr
    facts = json.loads((path.parent / "out" / "training.json").read_text())
    assert [(score["step"], score["score/tasks"]) for score in facts["scores"]] == [(0, 1), (1, 1), (2, 1)]
    (answer,) = (path.parent / "out" / "scores" / "step-2.jsonl").read_text().splitlines()
    assert json.loads(answer)["instruction"] == "Write double(x)."
    assert "sandbox" in json.loads(answer)
    assert "programs run without a sandbox" not in done.stderr


def test_without_a_sandbox_is_the_users_own_word_and_warned_of(model: Path, pairs: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "run", model_name_or_path=str(model), dataset_name=str(pairs), max_steps=2)
    words = ["--allow-unchecked", "--score", str(tmp_path / "absent.jsonl"), "--unsafe-no-sandbox"]
    done = TRAIN.run([COMMAND, "train", path, *words])
    assert done.returncode == 2
    assert "Warning: Untrusted programs run without a sandbox" in done.stderr
    assert "absent.jsonl' cannot be read" in done.stderr
