"""The file of samples: what is written, what is gone on with, whose it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from hf_oss_instruct.errors import RunError
from hf_oss_instruct.evaluation.generation import claim, generate, style_of
from hf_oss_instruct.evaluation.prompts import ModelPrompt
from tests.support.progress import Noted

from . import toys


class Thinker:
    """Answers with a thought and a text; may stop after some batches, or give nothing."""

    def __init__(self, batches: int = 100, text: str = "<think>a draft: ```def x```</think>\n```python\npass\n```") -> None:
        self.batches, self.text, self.asked = batches, text, 0

    def answers(self, asked: Sequence[ModelPrompt], style: str) -> list[list[str]]:
        """One text each."""
        if self.batches == 0:
            raise KeyboardInterrupt
        self.batches -= 1
        self.asked += len(asked)
        return [[self.text] for _ in asked]


def lines(out: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]


def test_thoughts_are_cut_off_and_kept_beside_the_answer(tmp_path: Path) -> None:
    problems = list(toys.plus(tmp_path / "data").problems.values())
    assert generate(problems, Thinker(), "chat", 1, tmp_path, batch=2) == 0
    for line in lines(tmp_path):
        assert line["answer"] == "```python\npass\n```"
        assert line["received"].startswith("<think>a draft")
    (tmp_path / "samples.jsonl").unlink()
    generate(problems, Thinker(text="    return '</think>'"), "completion", 1, tmp_path, batch=2)
    assert {line["completion"] for line in lines(tmp_path)} == {"    return '</think>'"}  # in code it is text


def test_an_interrupt_costs_no_batch_that_came_back(tmp_path: Path) -> None:
    problems = list(toys.plus(tmp_path / "data").problems.values())
    with pytest.raises(KeyboardInterrupt):
        generate(problems, Thinker(batches=2), "chat", 1, tmp_path, batch=1)
    assert len(lines(tmp_path)) == 2
    again, progress = Thinker(), Noted()
    generate(problems, again, "chat", 1, tmp_path, batch=1, progress=progress)
    assert again.asked == 1
    assert [(counts.recalled, counts.done, counts.total) for counts in progress.stages.values()] == [(2, 3, 3)]
    assert [line["task_id"] for line in lines(tmp_path)] == [problem.task_id for problem in problems]


def test_no_answer_is_not_an_empty_one_unless_that_is_said(tmp_path: Path) -> None:
    problems = list(toys.plus(tmp_path / "data").problems.values())
    assert generate(problems, Thinker(text=""), "chat", 1, tmp_path, batch=3, allow_empty=False) == 3
    assert lines(tmp_path) == []
    assert generate(problems, Thinker(text=""), "chat", 1, tmp_path, batch=3) == 0
    assert [line["answer"] for line in lines(tmp_path)] == [""] * 3


def test_a_folder_is_of_whoever_has_answers_in_it(tmp_path: Path) -> None:
    claim(tmp_path, {"model": "a", "style": "chat"})
    assert style_of(tmp_path) is None
    claim(tmp_path, {"model": "b", "style": "chat"})  # nothing was answered yet
    generate(list(toys.plus(tmp_path / "data").problems.values()), Thinker(), "chat", 1, tmp_path, batch=3)
    assert style_of(tmp_path) == "chat"
    claim(tmp_path, {"model": "b", "style": "chat"})
    with pytest.raises(RunError, match="--model: b in the folder, c now"):
        claim(tmp_path, {"model": "c", "style": "chat"})
