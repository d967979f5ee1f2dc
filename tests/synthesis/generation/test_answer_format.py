"""Runs whose teacher answers in JSON: the same rows as from sections, on servers with and without schemas."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from hf_oss_instruct.cli import cli
from hf_oss_instruct.data import Completion, Pair, Provenance, Request, Seed
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.prompts import Prompt, PromptSpec
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.synthesis.export import export
from hf_oss_instruct.synthesis.generation.oss_instruct import OssInstructTask
from hf_oss_instruct.synthesis.stream import synthesize
from hf_oss_instruct.teachers.inference import InferenceTeacher
from hf_oss_instruct.teachers.parsing import parse_with_tests
from tests.support.teacher import Answer, LocalTeacher, well_formed
from tests.support.verified import answer as verified_answer
from tests.support.verified import snippet

SEED = Seed("x = 1", 1, 1, Provenance("corpus", "v1", "a.py", 0, "python"), "hash/1", 0, index=0)
JSON = PromptSpec(answer_format="json")


def as_json(text: str) -> str:
    pair = parse_with_tests(Completion(text, "stop"))
    return json.dumps({"problem": pair.problem, "solution": pair.solution, "tests": pair.tests or ""})


def obedient(body: dict[str, Any]) -> Answer:
    """Follows a schema if there is one, and writes sections otherwise."""
    text = well_formed(body["messages"])
    return Answer(text=as_json(text) if "response_format" in body else text)


def without_schemas(body: dict[str, Any]) -> Answer:
    if "response_format" in body:
        return Answer(status=400, text="'response_format' of type 'json_schema' is not supported with this model.")
    return Answer(text=f"```json\n{as_json(well_formed(body['messages']))}\n```")


def command(*words: str) -> str:
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def run_json(code: Path, out: Path, teacher: LocalTeacher, *more: str) -> dict[str, Any]:
    words = f"synthesize --n 6 --model m --base-url {teacher.base_url} --benchmarks none --seeds".split()
    command(*words, str(code), "--out", str(out), *more)
    report: dict[str, Any] = json.loads((out / "run.json").read_text())
    return report


def test_the_schema_is_sent_and_the_rows_are_those_of_sections(tmp_path: Path, code: Path) -> None:
    with LocalTeacher(obedient) as teacher:
        report = run_json(code, tmp_path / "json", teacher, "--answer-format", "json")
        bodies = [request["body"] for request in teacher.requests]
        assert report["kept"] == len(bodies) == 6
        assert all(body["response_format"]["json_schema"]["schema"]["required"] == ["problem", "solution"] for body in bodies)
        assert "`problem` and `solution`" in bodies[0]["messages"][-1]["content"]
        again = run_json(code, tmp_path / "json", teacher, "--answer-format", "json")
        assert len(teacher.requests) == 6, "answers are not paid for twice"
    assert report["answer_forms"] == again["answer_forms"] == {"json": 6}
    assert report["parameters_changed"] == {}
    for row in pq.read_table(tmp_path / "json" / "data").to_pylist():
        assert row["problem"].startswith("You are given a list")
        assert row["solution"].startswith("```python\ndef transform_")
        assert json.loads(row["sampling"])["response_format"]["type"] == "json_schema"
    assert "answer_format: json" in (tmp_path / "json" / "oss_instruct.yaml").read_text()
    export(tmp_path / "json", tmp_path / "exported")
    assert pq.read_table(tmp_path / "exported" / "data").equals(pq.read_table(tmp_path / "json" / "data"))
    assert json.loads((tmp_path / "exported" / "run.json").read_text())["answer_forms"] == {"json": 6}


def test_a_server_without_schemas_is_asked_without_and_the_report_says_so(tmp_path: Path, code: Path) -> None:
    with LocalTeacher(without_schemas) as teacher:
        report = run_json(code, tmp_path / "out", teacher, "--answer-format", "json", "--concurrency", "1")
        assert ["response_format" in request["body"] for request in teacher.requests] == [True] + 6 * [False]
    assert (report["kept"], report["answer_forms"]) == (6, {"json": 6})
    assert report["parameters_changed"] == {"response_format": None}
    assert "response_format" not in json.loads(pq.read_table(tmp_path / "out" / "data")["sampling"][0].as_py())


def test_answers_in_other_forms_are_counted(tmp_path: Path, code: Path) -> None:
    forms = iter(["json", "sections", "neither", "json", "sections", "cut"])

    def answer(body: dict[str, Any]) -> Answer:
        form, text = next(forms), well_formed(body["messages"])
        cut = Answer(text='{"problem": "An', finish_reason="length")
        return {"json": Answer(text=as_json(text)), "sections": Answer(text=text), "neither": Answer(text="No."), "cut": cut}[
            form
        ]

    with LocalTeacher(answer) as teacher:
        words = f"synthesize --n 6 --model m --base-url {teacher.base_url} --benchmarks none --answer-format json --seeds".split()
        said = command(*words, str(code), "--out", str(tmp_path / "out"), "--concurrency", "1")
    report = json.loads((tmp_path / "out" / "run.json").read_text())
    assert report["answer_forms"] == {"json": 2, "sections": 2, "neither": 2}
    assert (report["kept"], report["rejected"]) == (4, {"unparsable": 1, "truncated": 1})
    assert "answers: 2 as JSON, 2 as sections, 2 in neither form" in said


def test_pairs_with_tests_in_the_same_answer_are_verified(tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> Answer:
        assert body["response_format"]["json_schema"]["schema"]["required"] == ["problem", "solution", "tests"]
        sections = [*body["messages"], {"role": "user", "content": "[Tests]"}]
        return Answer(text=as_json(verified_answer({"messages": sections}).text or ""))

    (tmp_path / "code").mkdir()
    for number, kind in enumerate(("right", "wrong", "none")):
        (tmp_path / "code" / f"{number}.py").write_text(snippet(number, kind))
    with LocalTeacher(answer) as teacher:
        words = f"synthesize --n 3 --model m --base-url {teacher.base_url} --benchmarks none --answer-format json".split()
        words += ["--seeds", str(tmp_path / "code"), "--out", str(tmp_path / "out"), "--verify", "--tests", "answer"]
        command(*words)
    report = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (report["kept"], report["rejected"], report["answer_forms"]) == (
        1,
        {"tests_failed": 1, "tests_missing": 1},
        {"json": 3},
    )


@pytest.mark.parametrize("transport", ["aiohttp", "huggingface_hub"])
def test_the_schema_travels_over_every_transport(tmp_path: Path, transport: str) -> None:
    with LocalTeacher(obedient) as server:
        teacher = InferenceTeacher("m", server.base_url, transport=transport)
        [row] = synthesize([SEED], teacher, answer_format="json", journal=tmp_path)
        sent = server.requests[0]["body"]["response_format"]  # huggingface_hub writes it as each provider has it
        schema = sent["json_schema"]["schema"] if sent["type"] == "json_schema" else sent["value"]
        assert schema["required"] == ["problem", "solution"]
    assert row["problem"].startswith("You are given")


def test_keys_and_hashes_change_with_json_alone() -> None:
    teacher = InferenceTeacher("m", "http://127.0.0.1:9/v1")
    plain, as_object = (OssInstructTask.of(RunSpec(prompt=prompt), teacher) for prompt in (PromptSpec(), JSON))
    assert plain.key(SEED) == OssInstructTask(teacher).key(SEED) != as_object.key(SEED)
    assert plain.journal_home != as_object.journal_home
    assert RunSpec().hash != RunSpec(prompt=JSON).hash
    assert "answer_format" not in RunSpec().to_yaml()


def test_the_budget_counts_the_schema_as_part_of_the_prompt() -> None:
    teacher = InferenceTeacher("m", "http://127.0.0.1:9/v1")
    template = Prompt("Write JSON: {code}")
    plain, as_object = (
        OssInstructTask.of(RunSpec(prompt=PromptSpec(prompt=template, answer_format=form)), teacher).request(SEED)
        for form in ("sections", "json")
    )
    assert isinstance(as_object, Request)
    assert as_object.most_tokens[0] == plain.most_tokens[0] + len(
        json.dumps(as_object.sampling["response_format"], separators=(",", ":"), ensure_ascii=False)
    )


def test_a_dry_run_says_what_is_asked(code: Path, tmp_path: Path) -> None:
    words = "synthesize --n 6 --model m --base-url http://127.0.0.1:9/v1 --answer-format json --dry-run".split()
    said = command(*words, "--seeds", str(code), "--out", str(tmp_path / "out"))
    assert "answer_format: json" in said
    assert "# answers are requested as JSON (response_format)" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--n", "3"], "--answer-format json needs a server that accepts a JSON schema, but comment-function/2 is not one"),
        (["--n", "3", "--model", "m", "--extra-body", '{"response_format": {}}'], "extra_body has a response_format"),
    ],
)
def test_what_rules_json_out_is_said_before_anything_is_asked(tmp_path: Path, words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        command("synthesize", *words, "--answer-format", "json", "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_parser_of_ones_own_reads_no_json() -> None:
    with pytest.raises(UsageError, match="reads sections, not JSON"):
        PromptSpec(parser="magicoder", answer_format="json")
    teacher = InferenceTeacher("m", "http://127.0.0.1:9/v1")
    with pytest.raises(UsageError, match="reads sections, not JSON"):
        synthesize([SEED], teacher, parser="magicoder", answer_format="json")
    with pytest.raises(UsageError, match="cannot be combined with answer_format='json'"):
        synthesize([SEED], teacher, parser=lambda completion: Pair("p", "s"), answer_format="json")
