"""`evolve --answer-format json`: each question with the schema of its answer, read like those of `synthesize`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hf_oss_instruct.cli import cli
from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.spec.prompts import PromptSpec
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.storage.run_report import RunReport
from tests.support import evolving
from tests.support.evolving import KINDS
from tests.support.teacher import Answer, LocalTeacher

from .test_evolve import UNCHECKED, model, oss, read, written


def as_json(body: dict[str, Any]) -> str:
    """The answer of the teacher of other tests, as the object that the question asks for."""
    text = evolving.answer(body).text
    if "`solution`" in body["messages"][-1]["content"]:
        return json.dumps({"solution": text})
    return json.dumps({"problem": text.removeprefix("[Problem Description]\n")})


def obedient(body: dict[str, Any]) -> Answer:
    return Answer(text=as_json(body)) if "response_format" in body else evolving.answer(body)


def without_schemas(body: dict[str, Any]) -> Answer:
    if "response_format" in body:
        return Answer(status=400, text="'response_format' of type 'json_schema' is not supported with this model.")
    return Answer(text=f"```json\n{as_json(body)}\n```")


def evolved(folder: Path, teacher: LocalTeacher, **options: Any) -> RunReport:
    source = folder / "rows.jsonl"
    if not source.exists():
        written(source, range(8))
    return oss.evolve(source, folder / "out", teacher=model(teacher), checks=UNCHECKED, **options)


@pytest.mark.parametrize("server", [obedient, without_schemas])
def test_each_question_has_its_schema_and_outcomes_are_those_of_sections(tmp_path: Path, server: Any) -> None:
    with LocalTeacher(server) as teacher:
        report = evolved(tmp_path, teacher, answer_format="json")
        asked = [request["body"]["response_format"] for request in teacher.requests if "response_format" in request["body"]]
        sent = len(teacher.requests)
        assert evolved(tmp_path, teacher, answer_format="json")["answer_forms"] == report["answer_forms"]
        assert len(teacher.requests) == sent, "the same call asks for nothing again"
        with pytest.raises(RunError, match="answer_format: json in the folder, none now"):
            evolved(tmp_path, teacher)
    bad = Counter(kind for kind in KINDS if kind != "good")
    assert report["rejected"] == dict(bad)
    assert report["answer_forms"] == {"json": 8 + 4}
    fields = {tuple(one["json_schema"]["schema"]["required"]) for one in asked}
    assert fields == {("problem",), ("solution",)} if server is obedient else asked
    assert all(
        "[Problem Description]" not in row["problem"] and "```python" in row["solution"] for row in read(tmp_path / "out/data")
    )


def test_text_is_read_as_ever_and_a_broken_object_is_not_taken_for_a_problem(tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> Answer:
        text = body["messages"][-1]["content"]
        if "Make a new and harder problem" not in text or "Task number 0." in text:
            return evolving.answer(body)
        endings = {"Task number 1.": '{"problem": "Sort the records of all the harbors by', "Task number 2.": '{"problem": 7}'}
        return Answer(text=next((broken for task, broken in endings.items() if task in text), '{"problem": " "}'))

    written(tmp_path / "rows.jsonl", range(4))
    with LocalTeacher(answer) as teacher:
        report = evolved(tmp_path, teacher, answer_format="json")
    assert (report["kept"], report["rejected"]) == (1, {"unparsable": 2, "empty": 1})
    assert report["answer_forms"] == {"text": 2, "json": 2, "neither": 1} or report["answer_forms"] == {"text": 2, "neither": 3}
    assert {row["received"] for row in read(tmp_path / "out/rejected")} >= {'{"problem": 7}', '{"problem": " "}'}


def test_a_dry_run_shows_the_question_and_a_preview_the_rows(tmp_path: Path) -> None:
    written(tmp_path / "rows.jsonl", range(3))
    with LocalTeacher(obedient) as teacher:
        words = [
            "evolve",
            str(tmp_path / "rows.jsonl"),
            "--model",
            "m",
            "--base-url",
            teacher.base_url,
            "--answer-format",
            "json",
        ]
        dry = CliRunner().invoke(cli, [*words, "--dry-run"], catch_exceptions=False).output
        assert not teacher.requests
        assert "answers are requested as JSON (response_format)" in dry
        assert "whose field `problem` holds the new problem" in dry
        assert "below the line [Problem Description]" not in dry
        shown = CliRunner().invoke(cli, [*words, "--n", "1"], catch_exceptions=False)
        assert shown.exit_code == 0
        assert "round 1" in shown.output
        assert all("response_format" in request["body"] for request in teacher.requests)
    assert "--style" not in CliRunner().invoke(cli, ["evolve", "--help"]).output, "it is about seeds"


def test_a_teacher_that_takes_no_schema_is_refused(tmp_path: Path) -> None:
    from hf_oss_instruct.methods.evolution import plan_evolution
    from hf_oss_instruct.spec.evolution import EvolutionSpec
    from hf_oss_instruct.synthesis.tables import read_source

    rows = read_source(str(written(tmp_path / "rows.jsonl", range(1))), None, "python")
    spec = RunSpec(prompt=PromptSpec(answer_format="json"))
    solver = oss.InferenceTeacher("m", "http://unused")
    solver.takes_schema = False
    with pytest.raises(UsageError, match="needs a server that accepts a JSON schema"):
        plan_evolution(rows, spec, EvolutionSpec(solver=solver), oss.InferenceTeacher("m", "http://unused"))
