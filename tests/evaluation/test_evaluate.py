"""`evaluate` as people type it: a model answers, and is scored, in one go."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct import evaluate, score
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.benchmarks import load
from tests.support.extras import needs
from tests.support.models import saved_model
from tests.support.teacher import Answer, LocalTeacher
from tests.support.warm import COMMAND, EVALUATE

from . import toys
from .real import DATA, PROBLEMS, real_data

needs("lighteval")
SERVED = ["--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--task", "humaneval_plus"]


def hf(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return EVALUATE.run([COMMAND, "evaluate", *words])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    toys.plus(tmp_path / "data")
    toys.multipl_e(tmp_path / "data", toys.SCRIPT)
    return tmp_path / "data"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen of a few thousand random parameters, with a chat template."""
    return saved_model(tmp_path_factory.mktemp("models") / "tiny", "qwen", [row["prompt"] for row in toys.PLUS])


def server(answers: dict[str, str], **changes: Any) -> LocalTeacher:
    """A chat server that finds the problem in the message and knows its solution, fenced."""

    def answer(body: dict[str, Any]) -> Answer:
        message = body["messages"][-1]["content"]
        code = next(code for prompt, code in answers.items() if prompt in message)
        text = f"Here it is.\n```\n{code}\n```\n"
        said = [{"role": "assistant", "content": "no" if at % 2 else text} for at in range(body.get("n") or 1)]
        choices = [{"index": at, "finish_reason": "stop", "message": one} for at, one in enumerate(said)]
        completion = {"id": "x", "object": "chat.completion", "created": 1, "model": "oracle", "choices": choices}
        return Answer(raw=json.dumps(completion).encode())

    return LocalTeacher(answer)


def solutions(task: str, data: Path) -> dict[str, str]:
    """Prompt → a program that solves it."""
    script = "function add_two(a, b) { return a + b; }"
    return {problem.prompt.strip(): problem.reference or script for problem in load(task, data).problems.values()}


def test_a_server_that_knows_the_solutions_scores_one_and_is_not_asked_twice(data: Path) -> None:
    out = data.parent / "out"
    known = solutions("humaneval_plus", data) | solutions("multipl_e:js", data)
    with server(known) as oracle:
        words = ("--model", "oracle", "--base-url", oracle.base_url, "--task", "humaneval_plus", "--task", "multipl_e:js")
        words = (*words, "--data", data, "--out", out)
        done = hf(*words, "--show", "1")
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("pass@1  │ 100.0 │") == 3, done.stdout
        assert f"hf-oss-instruct compare {out / 'humaneval_plus'} OTHER" in done.stdout
        assert len(oracle.requests) == 4
        assert {request["body"]["model"] for request in oracle.requests} == {"oracle"}
        assert not {"\ndef ", "\n#"} & {stop for request in oracle.requests for stop in request["body"].get("stop") or ()}
        again = json.loads(hf(*words, "--format", "json").stdout)
        assert len(oracle.requests) == 4  # everything was on disk
    assert again["humaneval_plus"]["scores"]["plus"]["pass@1"]["mean"] == 1.0
    assert again["multipl_e:js"]["scores"]["passed"]["pass@1"]["mean"] == 1.0
    facts = again["humaneval_plus"]["facts"]
    assert (facts["model"], facts["style"], facts["sampling"]["max_new_tokens"]) == ("oracle", "chat", 2048)
    assert oracle.url not in json.dumps(again)
    assert "| humaneval\\_plus | plus | pass@1 | 100.0 |" in (out / "humaneval_plus" / "results.md").read_text()


def test_what_a_server_did_not_answer_is_no_failure_and_is_asked_again(data: Path) -> None:
    known, out = solutions("humaneval_plus", data), data.parent / "out"
    with LocalTeacher(lambda body: Answer(status=500)) as broken:
        words = ["--model", "m", "--task", "humaneval_plus", "--data", data, "--out", out, "--set", "api_max_retry=1"]
        done = hf(*words, "--set", "api_retry_sleep=0", "--base-url", broken.base_url)
        assert done.returncode == 1
        assert "no answer, or fewer than 1, to 3 of 3 problems" in done.stderr
        assert not (out / "humaneval_plus" / "results.json").exists()
    with server(known) as mended:
        done = hf(*words, "--set", "api_retry_sleep=0", "--base-url", mended.base_url)
        assert done.returncode == 0, done.stderr
    results = json.loads((out / "humaneval_plus" / "results.json").read_text())
    assert results["statuses"] == {"passed": 3}
    assert results["scores"]["plus"]["pass@1"]["mean"] == 1.0


def test_several_answers_are_asked_for_at_once_and_scored_as_pass_at_k(data: Path) -> None:
    with server(solutions("humaneval_plus", data)) as oracle:
        words = ("--model", "m", "--base-url", oracle.base_url, "--task", "humaneval_plus", "--data", data)
        words = (*words, "--out", data.parent / "out", "--n", "12")
        done = hf(*words)
        assert done.returncode == 2
        assert "12 answers at temperature 0 would be identical" in done.stderr
        found = json.loads(hf(*words, "--temperature", "0.8", "--format", "json").stdout)["humaneval_plus"]
        assert [request["body"]["n"] for request in oracle.requests] == [12] * 3
    assert found["scores"]["plus"]["pass@1"]["mean"] == pytest.approx(0.5)
    assert found["scores"]["plus"]["pass@10"]["mean"] == pytest.approx(1.0)
    assert found["samples"] == 36


def test_a_tiny_model_goes_all_the_way_and_on_after_a_kill(data: Path, model: Path) -> None:
    out = data.parent / "out"
    words = ["--model", model, "--task", "humaneval_plus", "--data", data, "--out", out, "--max-tokens", "24", "--n", "2"]
    words += ["--temperature", "1", "--batch-size", "1"]
    done = hf(*words)
    assert done.returncode == 0, done.stderr
    assert "3 of 3" in done.stdout
    file = out / "humaneval_plus" / "samples.jsonl"
    lines = file.read_text().splitlines()
    assert len({json.loads(line)["answer"] for line in lines}) == 6  # drawn, each of its own
    results = json.loads((out / "humaneval_plus" / "results.json").read_text())
    assert results["facts"]["style"] == "chat"
    assert results["scores"]["plus"]["pass@1"]["mean"] == 0.0

    # A kill in the middle: the last line torn, one of two answers of a problem missing. These are drawn again, and alike.
    file.write_text("\n".join([*lines[:3], lines[3][:20]]))
    assert hf(*words).returncode == 0
    assert file.read_text().splitlines() == lines


@pytest.mark.parametrize(("style", "field"), [("completion", "completion"), ("magicoder", "answer")])
def test_a_tiny_model_in_the_other_styles(data: Path, model: Path, style: str, field: str) -> None:
    words = ["--model", model, "--task", "humaneval_plus", "--data", data, "--out", data.parent / "out", "--limit", "2"]
    done = hf(*words, "--style", style, "--max-tokens", "24")
    assert done.returncode == 0, done.stderr
    assert "1 problems have no sample" in done.stdout
    samples = [json.loads(line) for line in (data.parent / "out/humaneval_plus/samples.jsonl").read_text().splitlines()]
    assert len(samples) == 2
    for sample, row in zip(samples, toys.PLUS, strict=False):
        assert sample[field].startswith(f"```python\n{row['prompt'].strip()}") == (style == "magicoder")
        assert "<|" not in sample[field]


def test_answers_of_another_model_are_not_taken_for_its_own(data: Path, model: Path, tmp_path: Path) -> None:
    words = ["--task", "humaneval_plus", "--data", data, "--out", tmp_path / "out", "--max-tokens", "8", "--style", "completion"]
    assert hf("--model", model, *words).returncode == 0
    (model / "model.safetensors").touch()  # trained further
    done = hf("--model", model, *words)
    assert done.returncode == 1
    assert "belongs to another run: files of the model" in done.stderr
    done = hf("--model", model, *words, "--style", "magicoder")
    assert done.returncode == 1
    assert "--style: completion in the folder, magicoder now" in done.stderr


@pytest.mark.parametrize("name", ["samples.jsonl", "results.md", "generation.json"])
def test_files_of_something_else_are_not_replaced_and_nothing_is_asked(data: Path, name: str) -> None:
    folder = data.parent / "out" / "humaneval_plus"
    folder.mkdir(parents=True)
    (folder / name).write_text('{"task_id": "HumanEval/0", "completion": "pass"}\n')
    with server(solutions("humaneval_plus", data)) as teacher:
        done = hf(*SERVED, "--base-url", teacher.base_url, "--data", data, "--out", data.parent / "out")
    assert done.returncode == 1
    assert name in done.stderr
    assert "would be replaced" in done.stderr
    assert teacher.requests == []
    assert {path.name for path in folder.iterdir()} == {name}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n": 0}, "n must be at least 1, not 0."),
        ({"temperature": "0"}, "temperature must be a number, not '0'."),
        ({"top_p": 2}, "top_p must be above 0 and at most 1, not 2."),
        ({"batch_size": 0}, "batch_size must be at least 1, not 0."),
        ({"max_new_tokens": "x"}, "max_new_tokens must be a whole number, not 'x'."),
        ({"limit": -1}, "limit must be at least 1, not -1."),
        ({"workers": -2}, "workers must be at least 1, not -2."),
        ({"ks": [1, 0]}, "ks must be at least 1, not 0."),
        ({"options": 3}, "options must be a dict with string keys, not 3."),
    ],
)
def test_python_refuses_what_the_command_line_refuses_before_a_model_is_asked(
    data: Path, tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        evaluate("m", "humaneval_plus", tmp_path / "out", base_url="http://127.0.0.1:9/v1", data=data, **values)
    assert str(refused.value) == message
    assert not (tmp_path / "out").exists()
    if values.keys() <= {"workers", "ks"}:
        with pytest.raises(UsageError, match=message):
            score("humaneval_plus", tmp_path / "none.jsonl", data=data, **values)


def test_a_folder_of_a_run_gets_no_answers(data: Path) -> None:
    run = data.parent / "out"
    run.mkdir()
    (run / "run.json").write_text('{\n  "format_version": 1}')
    with server(solutions("humaneval_plus", data)) as teacher:
        done = hf(*SERVED, "--base-url", teacher.base_url, "--data", data, "--out", run)
    assert done.returncode == 1
    assert f"The folder {str(run)!r} contains a run. Use a new folder, or one in it, for the scores." in done.stderr
    assert teacher.requests == []
    assert [path.name for path in run.iterdir()] == ["run.json"]


@pytest.mark.parametrize(("words", "said"), [
    (["--model", "no/such-model", "--task", "humaneval_plus"], "'no/such-model' at 'main' is not a local folder, and"),
    (["--model", "m", "--task", "humanevil"], "Unknown task 'humanevil'"),
    ([*SERVED, "--style", "magicoder"], "Use chat."),
    ([*SERVED, "--backend", "vllm"], "is not supported by --backend vllm"),
    ([*SERVED, "--set", "no_such=1"], "no option 'no_such'"),
])  # fmt: skip
def test_mistakes_are_told_with_the_way_out(data: Path, words: list[str], said: str) -> None:
    done = hf(*words, "--data", data, "--out", data.parent / "out")
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@real_data
@PROBLEMS
def test_the_reference_solutions_of_humaneval_plus_score_one(tmp_path: Path, count: int) -> None:
    known = solutions("humaneval_plus", DATA)
    with server(known) as oracle:
        words = ("--model", "oracle", "--base-url", oracle.base_url, "--task", "humaneval_plus", "--data", DATA)
        done = hf(*words, "--out", tmp_path / "out", "--format", "json", "--limit", str(count))
    found = json.loads(done.stdout)["humaneval_plus"]
    assert found["statuses"] == {"passed": count}
    assert found["version"] == "HumanEval+ v0.1.10"
