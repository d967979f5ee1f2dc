"""Pairs rewritten so that the solution is a function, a script or a class: one more question for each seed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.synthesis.export import export
from hf_oss_instruct.synthesis.generation.restyle import FORMS
from tests.support.commands import report_of, run
from tests.support.teacher import Answer, LocalTeacher, well_formed
from tests.support.warm import BASE, COMMAND

N = 6


def answer(body: dict[str, Any]) -> Answer:
    """A pair; for a pair, a script in its place."""
    text = body["messages"][-1]["content"]
    if "takes another form" not in text:
        return Answer(text=well_formed(body["messages"]))
    problem = text.split("The problem:\n")[1].split("\nThe solution:")[0].strip("`\n ")
    script = f"```python\nimport sys\n\nprint({len(text)}, sys.stdin.read())\n```"
    return Answer(text=f"[Problem Description]\nRead standard input. {problem}\n\n[Solution]\n{script}\n")


def words(code: Path, teacher: LocalTeacher, *more: str) -> list[str]:
    same = f"--n {N} --model m --base-url {teacher.base_url} --benchmarks none --style script --seeds {code}"
    return ["synthesize", *same.split(), *more]


def test_each_pair_is_rewritten_with_its_provenance(tmp_path: Path, code: Path) -> None:
    out = tmp_path / "out"
    with LocalTeacher(answer) as teacher:
        run(*words(code, teacher, "--out", str(out)))
        asked = [request["body"]["messages"][-1]["content"] for request in teacher.requests]
        run(*words(code, teacher, "--out", str(out)))
        assert len(teacher.requests) == len(asked) == 2 * N, "nothing is paid for twice"
    rewritten = [text for text in asked if "takes another form" in text]
    assert len(rewritten) == N
    assert all(FORMS["script"] in text and "def transform_" in text for text in rewritten)
    report = report_of(out)
    assert (report["kept"], report["requests_sent"]) == (N, 2 * N)
    for row in pq.read_table(out / "data").to_pylist():
        assert row["problem"].startswith("Read standard input. You are given")
        assert "sys.stdin" in row["solution"]
        assert row["flags"] == ["style:script"]
        assert row["file_path"].startswith("tasks_")
        assert row["prompt_hash"] == report["prompt_hash"]
        assert row["completion_tokens"] > len((row["problem"] + row["solution"]).split()), "those of both answers"
    assert "style: script" in (out / "oss_instruct.yaml").read_text()
    export(out, tmp_path / "exported")
    assert pq.read_table(tmp_path / "exported" / "data").equals(pq.read_table(out / "data"))


def test_an_answer_without_a_pair_rejects_the_row(tmp_path: Path, code: Path) -> None:
    def sometimes(body: dict[str, Any]) -> Answer:
        is_first = sum("takes another" in request["body"]["messages"][-1]["content"] for request in teacher.requests) == 1
        return Answer(text="As you wish.") if "takes another" in body["messages"][-1]["content"] and is_first else answer(body)

    with LocalTeacher(sometimes) as teacher:
        run(*words(code, teacher, "--out", str(tmp_path / "out")))
    assert (report_of(tmp_path / "out")["kept"], report_of(tmp_path / "out")["rejected"]) == (N - 1, {"unparsable": 1})
    export(tmp_path / "out", tmp_path / "exported")
    assert report_of(tmp_path / "exported")["rejected"] == {"unparsable": 1}


def test_a_solution_of_another_form_rejects_the_row_and_is_counted(tmp_path: Path, code: Path) -> None:
    def sometimes(body: dict[str, Any]) -> Answer:
        asked = sum("takes another" in request["body"]["messages"][-1]["content"] for request in teacher.requests)
        return Answer(text=answer(body).text.replace(", sys.stdin.read()", "" if asked == 1 else ", sys.stdin.read()"))

    with LocalTeacher(sometimes) as teacher:
        run(*words(code, teacher, "--concurrency", "1", "--out", str(tmp_path / "out")))
    report = report_of(tmp_path / "out")
    assert (report["kept"], report["rejected"]) == (N - 1, {"wrong_style": 1})
    [row] = pq.read_table(tmp_path / "out" / "rejected").to_pylist()
    assert row["detail"] == "the Python program is not a script: it does not read standard input"
    assert "[Solution]" in row["received"]


@pytest.mark.long
def test_a_killed_run_goes_on_with_the_same_bytes(tmp_path: Path, code: Path) -> None:
    def slowly(body: dict[str, Any]) -> Answer:
        return Answer(text=answer(body).text, latency_s=0.05)

    with LocalTeacher(slowly) as teacher:

        def start() -> Any:
            return BASE.start([COMMAND, *words(code, teacher, "--concurrency", "2", "--out", str(tmp_path / "killed"))])

        process = start()
        while len(teacher.requests) < 7 and process.poll() is None:
            time.sleep(0.01)
        process.kill()
        assert process.wait().returncode != 0
        assert start().wait().returncode == 0
        assert len(teacher.requests) <= 2 * N + 2, "paid once, but for what was in flight"
        run(*words(code, teacher, "--out", str(tmp_path / "whole")))
    for config in ("data", "sft"):
        [killed], [whole] = ((tmp_path / name / config).glob("*.parquet") for name in ("killed", "whole"))
        assert killed.read_bytes() == whole.read_bytes()


def test_preview_and_dry_run_say_what_a_row_costs_also_with_concepts(tmp_path: Path, code: Path) -> None:
    with LocalTeacher(answer) as teacher:
        said = run(*words(code, teacher, "--dry-run", "--concepts", "--out", str(tmp_path / "out")))
        assert f"up to {3 * N} requests (3 for each row)" in said
        shown = run("preview", *f"--n 1 --model m --base-url {teacher.base_url} --seeds {code} --style script".split())
    assert "Read standard input." in shown
    assert "A row costs 2 requests, not counting retries; 2 were sent." in shown


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--n", "3"], "--style needs a model, but comment-function/2 is not one"),
        (["--n", "3", "--model", "m", "--verify", "--tests", "answer"], "Use --tests apart with --style"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_asked(tmp_path: Path, more: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run("synthesize", *more, "--style", "class", "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
