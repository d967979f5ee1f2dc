"""Problems from the concepts of a snippet: two questions for each seed, both journaled, paid once and counted."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from hf_oss_instruct.data import Provenance, Seed
from hf_oss_instruct.errors import RowRejectedError, UsageError
from hf_oss_instruct.spec.prompts import Prompt, PromptSpec
from hf_oss_instruct.synthesis.export import export
from hf_oss_instruct.synthesis.generation.concepts import concepts_in
from hf_oss_instruct.synthesis.stream import synthesize
from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.commands import report_of, run
from tests.support.teacher import Answer, LocalTeacher, well_formed
from tests.support.warm import BASE, COMMAND

N = 6
SEED = Seed("def f(x):\n    return {x}", 1, 2, Provenance("corpus", "v1", "a.py", 0, "python"), "hash/1", 0, index=0)


def about(body: dict[str, Any]) -> str | None:
    """A function or a sum in the snippet whose concepts are asked for; None if a problem is asked for."""
    text = body["messages"][-1]["content"]
    return re.findall(r"task_\w+|x \+ \d+", text)[0] if text.startswith("Which programming concepts") else None


def answer(body: dict[str, Any]) -> Answer:
    if function := about(body):
        return Answer(text=f"Here they are:\n\n- **integer addition**\n- name {function}\n- integer addition\n")
    return Answer(text=well_formed(body["messages"]))


def words(code: Path, teacher: LocalTeacher, *more: str) -> list[str]:
    same = (
        f"--n {N} --model m --base-url {teacher.base_url} --benchmarks none --snippets-per-document 1 --concepts --seeds {code}"
    )
    return ["synthesize", *same.split(), *more]


def test_a_problem_is_asked_for_from_the_concepts_without_the_snippet(tmp_path: Path, code: Path) -> None:
    out = tmp_path / "out"
    with LocalTeacher(answer) as teacher:
        run(*words(code, teacher, "--out", str(out)))
        asked = [request["body"]["messages"] for request in teacher.requests]
        run(*words(code, teacher, "--out", str(out)))
        assert len(teacher.requests) == len(asked) == 2 * N, "nothing is paid for twice"
    second = [messages for messages in asked if len(messages) == 2]
    assert len(second) == N
    for messages in second:
        assert "programming problem of high quality in Python, which needs" in messages[-1]["content"]
        assert "- integer addition\n- name " in messages[-1]["content"]
        assert "return x" not in messages[-1]["content"]
        assert "(x)" not in messages[-1]["content"]
    report = report_of(out)
    assert (report["kept"], report["requests_sent"], report["pending"]) == (N, 2 * N, 0)
    for row in pq.read_table(out / "data").to_pylist():
        assert row["concepts"][0] == "integer addition"
        assert row["concepts"][1].removeprefix("name ") in row["seed"]
        assert row["prompt_hash"] == report["prompt_hash"]
    assert "Which programming concepts" in (out / "README.md").read_text()
    export(out, tmp_path / "exported")
    assert pq.read_table(tmp_path / "exported" / "data").equals(pq.read_table(out / "data"))
    assert load_dataset(str(out), split="train").features["concepts"].feature.dtype == "string"


def test_a_seed_without_concepts_is_rejected_and_exported_so(tmp_path: Path, code: Path) -> None:
    def sometimes(body: dict[str, Any]) -> Answer:
        return Answer(text=",") if about(body) and len(teacher.requests) == 1 else answer(body)

    with LocalTeacher(sometimes) as teacher:
        run(*words(code, teacher, "--out", str(tmp_path / "out")))
        assert len(teacher.requests) == 2 * N - 1
    assert (report_of(tmp_path / "out")["kept"], report_of(tmp_path / "out")["rejected"]) == (N - 1, {"unparsable": 1})
    export(tmp_path / "out", tmp_path / "exported")
    assert report_of(tmp_path / "exported")["rejected"] == {"unparsable": 1}


def test_a_budget_counts_both_questions(tmp_path: Path, code: Path) -> None:
    with LocalTeacher(answer) as teacher:
        run(*words(code, teacher, "--out", str(tmp_path / "out"), "--max-requests", "5", "--concurrency", "1"), ends_with=3)
        assert len(teacher.requests) == 5
        run(*words(code, teacher, "--out", str(tmp_path / "out")))
        assert len(teacher.requests) == 2 * N
    assert (report_of(tmp_path / "out")["kept"], report_of(tmp_path / "out")["requests_sent"]) == (N, 2 * N)


def test_a_killed_run_goes_on_with_the_same_bytes(tmp_path: Path, code: Path) -> None:
    with LocalTeacher(lambda body: Answer(text=answer(body).text, latency_s=0.05)) as teacher:

        def start(name: str) -> Any:
            return BASE.start([COMMAND, *words(code, teacher, "--concurrency", "2", "--out", str(tmp_path / name))])

        process = start("killed")
        while len(teacher.requests) < 7 and process.poll() is None:
            time.sleep(0.01)
        process.kill()
        assert process.wait().returncode != 0
        assert start("killed").wait().returncode == 0
        assert len(teacher.requests) <= 2 * N + 2, "paid once, but for what was in flight"
        run(*words(code, teacher, "--out", str(tmp_path / "whole")))
    for config in ("data", "sft"):
        [killed], [whole] = ((tmp_path / name / config).glob("*.parquet") for name in ("killed", "whole"))
        assert killed.read_bytes() == whole.read_bytes()


def test_preview_and_dry_run_say_what_a_row_costs(tmp_path: Path, code: Path) -> None:
    with LocalTeacher(answer) as teacher:
        said = run(*words(code, teacher, "--dry-run", "--out", str(tmp_path / "out")))
        assert "concepts: true" in said
        assert f"up to {2 * N} requests (2 for each row)" in said
        assert not teacher.requests
        shown = run(
            "preview",
            *words(code, teacher, "--n", "1")[1:3],
            *f"--n 1 --model m --base-url {teacher.base_url}".split(),
            *f"--seeds {code} --concepts".split(),
        )
    assert "integer addition, name " in shown
    assert "A row costs 2 requests, not counting retries; 2 were sent." in shown


def test_json_answers_and_rows_in_python(tmp_path: Path) -> None:
    def as_object(body: dict[str, Any]) -> Answer:
        if body["messages"][-1]["content"].startswith("Which"):
            assert "response_format" not in body
            return Answer(text="sets, hashing")
        assert "`problem` and `solution`" in body["messages"][-1]["content"]
        return Answer(text=json.dumps({"problem": "Hash a set.", "solution": "```python\nhash(frozenset())\n```"}))

    with LocalTeacher(as_object) as server:
        teacher = InferenceTeacher("m", server.base_url)
        [row] = synthesize([SEED], teacher, concepts=True, answer_format="json", journal=tmp_path)
    assert (row["problem"], row["concepts"], row["seed"]) == ("Hash a set.", ["sets", "hashing"], SEED.snippet)


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("- sorting\n- binary search", ("sorting", "binary search")),
        ("Concepts:\n1. **Sorting**\n2) `heaps`.\n\nThese are all.", ("Sorting", "heaps")),
        ("sorting\nheaps", ("sorting", "heaps")),
        ("sorting, heaps", ("sorting", "heaps")),
        ("\n".join(f"- concept {n}" for n in range(20)), tuple(f"concept {n}" for n in range(8))),
    ],
)
def test_lists_are_read_as_models_write_them(text: str, concepts: tuple[str, ...]) -> None:
    assert concepts_in(text) == concepts


@pytest.mark.parametrize(("text", "reason"), [(" \n", "empty"), ("word " * 40, "unparsable"), ("- **\n- ", "unparsable")])
def test_what_is_no_list_is_rejected(text: str, reason: str) -> None:
    with pytest.raises(RowRejectedError) as refusal:
        concepts_in(text)
    assert refusal.value.reason == reason


@pytest.mark.parametrize("tests", [False, True])
@pytest.mark.parametrize("as_json", [False, True])
def test_our_templates_ask_about_concepts_alone(tests: bool, as_json: bool) -> None:
    prompt = (Prompt.for_json(tests=tests) if as_json else Prompt.with_tests() if tests else Prompt.default()).about_concepts()
    assert "snippet" not in prompt.text
    [_, user] = prompt.messages("secret()", concepts="- a {language}", language="Rust")
    assert "- a {language}" in user["content"]
    assert "in Rust" in user["content"]
    assert "secret" not in user["content"]


def test_a_template_has_a_place_for_what_it_is_filled_with() -> None:
    with pytest.raises(UsageError, match=r"has no \{concepts\}"):
        PromptSpec(prompt=Prompt("{code}"), concepts=True)
    with pytest.raises(UsageError, match=r"has no \{code\}"):
        PromptSpec(prompt=Prompt("{concepts}"))
    PromptSpec(prompt=Prompt("{concepts} like {code}"), concepts=True)
    with pytest.raises(UsageError, match="--concepts needs a model"):
        next(synthesize([SEED], CommentFunctionTeacher(), concepts=True))
