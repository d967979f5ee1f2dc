"""Files of samples as other tools write them: the same answers in each format, and what is wrong in one is counted and named."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.errors import EvaluationError, UsageError
from hf_oss_instruct.evaluation.samples import checked, read_samples
from hf_oss_instruct.evaluation.scoring.run import score

from . import toys

BODIES = {row["task_id"]: row["canonical_solution"] for row in toys.PLUS}
PROGRAMS = {row["task_id"]: row["prompt"] + row["canonical_solution"] for row in toys.PLUS}
QUERIES = {row["task_id"]: row["prompt"] for row in toys.PLUS}
ANSWERS = {task_id: f"Here it is:\n```python\n{program}```\n" for task_id, program in PROGRAMS.items()}


def saved(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def table(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def inspect_log(
    path: Path, answers: dict[Any, str], *, kind: str | None = None, error: str | None = None, epochs: int = 1
) -> Path:
    """A log as inspect_ai writes it; with an error, the last sample ended with it."""
    pytest.importorskip("inspect_ai")
    from inspect_ai.log import EvalConfig, EvalDataset, EvalError, EvalLog, EvalSample, EvalSpec, write_eval_log
    from inspect_ai.model import ModelOutput

    metadata = {"kind": kind} if kind else {}
    samples = [
        EvalSample(
            id=name, epoch=epoch, input="q", target="", output=ModelOutput.from_content("m", text), metadata=dict(metadata)
        )
        for name, text in answers.items()
        for epoch in range(1, epochs + 1)
    ]
    if error:
        samples[-1].error = EvalError(message=error, traceback="", traceback_ansi="")
        samples[-1].output = ModelOutput()
    spec = EvalSpec(created="2026-01-01T00:00:00+00:00", task="humaneval", dataset=EvalDataset(), model="m", config=EvalConfig())
    write_eval_log(EvalLog(status="success", eval=spec, samples=samples), str(path))
    return path


def documents(queries: dict[str, str], texts: dict[str, str], **specific: Any) -> list[dict[str, Any]]:
    """Rows of lighteval's details; `specific` holds JSON, as some of its versions write it."""
    more = json.dumps(specific) if specific else None
    return [{"doc": {"query": queries[id_], "specific": more}, "model_response": {"text": [texts[id_]]}} for id_ in queries]


def human_eval(folder: Path) -> Path:
    lines = [{"task_id": i, "completion": text, "result": "passed", "passed": True} for i, text in BODIES.items()]
    return toys.write_lines(folder / "samples.jsonl_results.jsonl", lines)


def evalplus(folder: Path) -> Path:
    lines = [
        {"task_id": i, "solution": text, "_identifier": f"{i} (line {n} in s.jsonl)"}
        for n, (i, text) in enumerate(PROGRAMS.items())
    ]
    return toys.write_lines(folder / "model-sanitized.jsonl", lines)


def identifiers_alone(folder: Path) -> Path:
    lines = [{"_identifier": f"{i} (line 1 in s.jsonl)", "solution": text} for i, text in PROGRAMS.items()]
    return toys.write_lines(folder / "s.jsonl", lines)


def evalplus_results(folder: Path) -> Path:
    found = {i: [{"task_id": i, "solution": text, "base_status": "pass", "plus_status": "fail"}] for i, text in PROGRAMS.items()}
    return saved(folder / "model_eval_results.json", {"date": "2026-01-01 00:00", "hash": "0", "eval": found})


def compressed(folder: Path) -> Path:
    path = folder / "generations.json.gz"
    path.write_bytes(gzip.compress(json.dumps([[text] for text in PROGRAMS.values()]).encode()))
    return path


def chat(query: str) -> str:
    return f"<|user|>Complete this:\n```python\n{query}```<|assistant|>"


FORMATS: dict[str, tuple[Callable[[Path], Path], str, dict[str, str]]] = {
    "human-eval's results": (human_eval, "completion", BODIES),
    "evalplus' sanitized samples": (evalplus, "solution", PROGRAMS),
    "evalplus' identifiers": (identifiers_alone, "solution", PROGRAMS),
    "evalplus' results": (evalplus_results, "solution", PROGRAMS),
    "bigcode's generations": (
        lambda folder: saved(folder / "generations.json", [[text] for text in PROGRAMS.values()]), "solution", PROGRAMS,
    ),
    "bigcode's generations in another order": (
        lambda folder: saved(folder / "g.json", [[text] for text in reversed(PROGRAMS.values())]), "solution", PROGRAMS,
    ),
    "bigcode's generations without prompt": (
        lambda folder: saved(folder / "g.json", [[text.strip()] for text in BODIES.values()]),
        "solution", {task_id: text.strip() for task_id, text in BODIES.items()},
    ),
    "compressed generations": (compressed, "solution", PROGRAMS),
    "a list of objects": (
        lambda folder: saved(folder / "s.json", [{"task_id": i, "solution": text} for i, text in PROGRAMS.items()]),
        "solution", PROGRAMS,
    ),
    "inspect's zipped log": (lambda folder: inspect_log(folder / "a.eval", ANSWERS), "answer", ANSWERS),
    "inspect's JSON log": (lambda folder: inspect_log(folder / "a.json", BODIES, kind="completion"), "completion", BODIES),
    "inspect's log with numbers as ids": (
        lambda folder: inspect_log(folder / "a.eval", {int(i[-3:]): text for i, text in ANSWERS.items()}), "answer", ANSWERS,
    ),
    "lighteval's details of a task that continues prompts": (
        lambda folder: table(folder / "d.parquet", documents(QUERIES, BODIES)), "completion", BODIES,
    ),
    "lighteval's details of a task that quotes prompts": (
        lambda folder: table(folder / "d.parquet", documents({i: chat(text) for i, text in QUERIES.items()}, ANSWERS)),
        "answer", ANSWERS,
    ),
    "a table of completions": (
        lambda folder: table(folder / "s.parquet", [{"task_id": i, "completion": text} for i, text in BODIES.items()]),
        "completion", BODIES,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_answers_are_read_from_every_format(name: str, tmp_path: Path) -> None:
    write, kind, texts = FORMATS[name]
    benchmark = toys.plus(tmp_path / "data")
    found, missing = checked(read_samples(write(tmp_path), benchmark), benchmark)
    assert missing == []
    assert {one.task_id: (one.number, one.text, one.kind) for one in found} == {i: (0, text, kind) for i, text in texts.items()}
    assert len(found) == 3


@pytest.mark.parametrize("name", ["human-eval's results", "evalplus' results", "bigcode's generations", "inspect's zipped log"])
def test_right_answers_of_another_tool_score_one(name: str, tmp_path: Path) -> None:
    toys.plus(tmp_path / "data")
    found, verdicts = score("humaneval_plus", FORMATS[name][0](tmp_path), data=tmp_path / "data")
    assert [one.status for one in verdicts] == ["passed"] * 3
    assert {kind: found.scores[kind]["pass@1"]["mean"] for kind in ("base", "plus")} == {"base": 1.0, "plus": 1.0}


def test_epochs_and_generations_are_samples_of_one_problem(tmp_path: Path) -> None:
    benchmark = toys.plus(tmp_path / "data")
    for path in (
        inspect_log(tmp_path / "a.eval", ANSWERS, epochs=2),
        saved(tmp_path / "generations.json", [[text, "no"] for text in PROGRAMS.values()]),
    ):
        found, _ = checked(read_samples(path, benchmark), benchmark)
        assert sorted((one.task_id, one.number) for one in found) == [(task_id, n) for task_id in PROGRAMS for n in (0, 1)]


def test_fewer_generations_than_problems_are_told_apart_by_their_prompts_or_refused(tmp_path: Path) -> None:
    benchmark = toys.plus(tmp_path / "data")
    some = saved(tmp_path / "g.json", [[PROGRAMS["HumanEval/901"]], [PROGRAMS["HumanEval/902"]]])
    found, missing = checked(read_samples(some, benchmark), benchmark, allow_missing=True)
    assert ([one.task_id for one in found], missing) == (["HumanEval/901", "HumanEval/902"], ["HumanEval/900"])
    unknown = saved(tmp_path / "u.json", [["return 1"], ["return 2"]])
    with pytest.raises(
        EvaluationError, match=r"2 records cannot be used: u\.json, item 1 of 2 has no problem.*3 of humaneval_plus"
    ):
        read_samples(unknown, benchmark)


def test_a_log_of_several_languages_gives_those_of_the_task(tmp_path: Path) -> None:
    benchmark = toys.multipl_e(tmp_path / "data", toys.SCRIPT)
    log = inspect_log(tmp_path / "a.eval", {"js/HumanEval_900_add_two": "a", "java/HumanEval_900_add_two": "b"}, kind="answer")
    found, missing = checked(read_samples(log, benchmark), benchmark)
    assert ([(one.task_id, one.text) for one in found], missing) == ([("HumanEval_900_add_two", "a")], [])


EXAMPLES = {"HumanEval/900": PROGRAMS["HumanEval/901"] + "\n\n" + QUERIES["HumanEval/900"]}
BROKEN: dict[str, tuple[Callable[[Path], Path], str]] = {
    "lines": (
        lambda folder: toys.write_lines(
            folder / "s.jsonl",
            [{"task_id": "HumanEval/900", "completion": "x"}, {"task_id": 1.5, "completion": "x"}, {"task_id": "a"}]
            + [{"task_id": "a", "completion": {}}] * 3,
        ),
        r"^5 records cannot be used: s\.jsonl, line 2 has no task_id but 1\.5; s\.jsonl, line 3 has none of solution.*only "
        r"task_id; s\.jsonl, line 4 has \{\} as completion, which is not a string; and 2 more\. Write the problem's id",
    ),
    "one broken line among good ones": (
        lambda folder: toys.write_lines(folder / "s.jsonl", [{"task_id": 1, "answer": "x"}, {"task_id": 1}]),
        r"^s\.jsonl, line 2 has none of",
    ),
    "generations": (
        lambda folder: saved(folder / "g.json", [["x"], [5], "x"]),
        r"item 2 of 3 has 5.*; g\.json, item 3 of 3 is not",
    ),
    "counts of an old evalplus": (
        lambda folder: saved(folder / "e.json", {"eval": {"HumanEval/0": {"nfiles": 1}}}),
        r"e\.json, eval, 'HumanEval/0' contains no",
    ),
    "one odd solution of evalplus": (
        lambda folder: saved(folder / "e.json", {"eval": {"HumanEval/0": [{"solution": "x"}, {"solution": 5}]}}),
        r"^e\.json, eval, 'HumanEval/0', item 2 has 5 as solution",
    ),
    "results of MultiPL-E": (
        lambda folder: saved(folder / "a.results.json", {"name": "x", "results": [{"status": "OK"}]}),
        "result without a program",
    ),
    "a broken zip": (lambda folder: toys.write_lines(folder / "a.eval", []), "inspect_ai cannot read the log"),
    "an object that only looks like a log": (
        lambda folder: saved(folder / "a.json", {"eval": {"task": "x"}}),
        "inspect_ai cannot read the log",
    ),
    "a log without samples": (lambda folder: inspect_log(folder / "a.eval", {}), r"a\.eval is a log without samples"),
    "a sample that ended with an error": (
        lambda folder: inspect_log(folder / "a.eval", ANSWERS, error="rate limit"),
        r"^a\.eval, sample 'HumanEval/902', epoch 1 ended with an error: rate limit\. Finish it: inspect eval-retry a\.eval",
    ),
    "details in other words": (
        lambda folder: table(folder / "d.parquet", documents({"HumanEval/900": "Add two numbers."}, BODIES)),
        r"d\.parquet, row 1 has no task_id, and its query does not quote exactly one problem's prompt: 'Add two",
    ),
    "details with examples": (
        lambda folder: table(folder / "d.parquet", documents(EXAMPLES, BODIES)),
        "does not quote exactly one problem's",
    ),
    "details without answers": (
        lambda folder: table(folder / "d.parquet", [{"doc": {"query": "q"}, "model_response": {"logprobs": [1.0]}}]),
        r"row 1 has no answers in model_response\.text",
    ),
    "details of another version": (
        lambda folder: table(folder / "d.parquet", [{"full_prompt": "q", "predictions": ["a"]}]),
        r"row 1 has no task_id but None",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_used_is_counted_and_named_with_its_place(name: str, tmp_path: Path) -> None:
    write, says = BROKEN[name]
    if name in ("a broken zip", "an object that only looks like a log"):
        pytest.importorskip("inspect_ai")
    with pytest.raises(EvaluationError, match=says):
        read_samples(write(tmp_path), toys.plus(tmp_path / "data"))


def test_unknown_problems_are_counted_and_named_with_their_lines(tmp_path: Path) -> None:
    benchmark = toys.plus(tmp_path / "data")
    lines = [{"task_id": name, "completion": "x"} for name in ("HumanEval/900", "Mbpp/1", 7, "Mbpp/1", "x")]
    with pytest.raises(EvaluationError) as caught:
        checked(read_samples(toys.write_lines(tmp_path / "s.jsonl", lines), benchmark), benchmark, allow_missing=True)
    message = str(caught.value)
    assert message.startswith("3 problems of the samples (4 of 5 samples) are not in humaneval_plus")
    assert "such as 'Mbpp/1' (s.jsonl, line 2); '7' (s.jsonl, line 3); 'Mbpp/1' (s.jsonl, line 4); its IDs" in message


def test_a_log_without_inspect_installed_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.eval").write_bytes(b"PK")
    monkeypatch.setitem(sys.modules, "inspect_ai.log", None)
    with pytest.raises(EvaluationError, match=r"needs inspect_ai, which is not installed.*pip install .*\[inspect\]"):
        read_samples(tmp_path / "a.eval")


@pytest.mark.parametrize(
    ("samples", "results"),
    [("s.jsonl", "s.jsonl_results.jsonl"), ("s.jsonl", "s_eval_results.json"), ("s.jsonl", "eval_results.json")],
)
def test_results_beside_their_samples_are_not_scored_twice(samples: str, results: str, tmp_path: Path) -> None:
    toys.write_lines(tmp_path / samples, [{"task_id": "A/1", "solution": "x"}])
    lines = {"task_id": "A/1", "solution": "x"}
    saved(tmp_path / results, lines if results.endswith("jsonl") else {"eval": {"A/1": [lines]}})
    assert [(one.task_id, one.number) for one in read_samples(tmp_path)] == [("A/1", 0)]
    (tmp_path / samples).unlink()
    assert [(one.task_id, one.number) for one in read_samples(tmp_path)] == [("A/1", 0)]  # they hold the samples, too


def test_multipl_es_results_beside_their_completions_are_not_scored_twice(tmp_path: Path) -> None:
    saved(tmp_path / "HumanEval_1_x.json", {"name": "HumanEval_1_x", "completions": ["a"]})
    saved(tmp_path / "HumanEval_1_x.results.json", {"name": "HumanEval_1_x", "results": [{"program": "a test"}]})
    assert [(one.kind, one.text) for one in read_samples(tmp_path)] == [("completion", "a")]


@pytest.mark.parametrize("edited", ["s-sanitized.jsonl", "s.raw.jsonl"])
def test_a_folder_with_the_same_samples_in_two_forms_is_refused(edited: str, tmp_path: Path) -> None:
    for name in ("s.jsonl", edited):
        toys.write_lines(tmp_path / name, [{"task_id": "A/1", "solution": "x"}])
    with pytest.raises(UsageError, match="the same samples unedited"):
        read_samples(tmp_path)
