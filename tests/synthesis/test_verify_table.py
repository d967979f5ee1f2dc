"""`verify`: any table with problems and solutions becomes verified rows; bad input is one clear error or a counted rejection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from datasets import load_dataset

import hf_oss_instruct
from hf_oss_instruct.cli import cli
from hf_oss_instruct.code.toolchains import TOOLCHAINS
from hf_oss_instruct.curation.pairs.columns import columns_of, language_of, read_tests, text_of
from hf_oss_instruct.curation.pairs.texts import problem_of, solution_of, tests_of, with_solution
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.preflight import toolchain_of, why_unavailable
from hf_oss_instruct.synthesis.tables import read_source
from hf_oss_instruct.teachers.inference import InferenceTeacher
from hf_oss_instruct.verification import verify as core
from tests.support.teacher import Answer, LocalTeacher
from tests.support.verified import pair, verifying_teacher

DOUBLE = "```python\ndef double(x):\n    return 2 * x\n```"
WITH_FLASK = DOUBLE.replace("def", "import flask\n\n\ndef")
ASSERTS = ["assert double(2) == 4", "assert double(0) == 0", "assert double(-3) == -6"]


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"problem": "", "solution": "", "tests": ""}, ("problem", "solution", "tests", None)),
        ({"instruction": "", "response": "", "lang": ""}, ("instruction", "response", None, "lang")),
        ({"id": "", "input": "", "output": "", "unit_tests": ""}, ("input", "output", "unit_tests", None)),  # OpenCodeInstruct
        (
            {"style": "", "question": "", "solution": "", "test": "", "test_info": ""},
            ("question", "solution", "test", None),
        ),  # KodCode
        ({"prompt": "", "completion": ""}, ("prompt", "completion", None, None)),
        ({"text": "", "code": "", "test_list": ""}, ("text", "code", "test_list", None)),  # MBPP
        ({"question": "", "solutions": "", "input_output": ""}, ("question", "solutions", "input_output", None)),  # APPS
    ],
)
def test_columns_are_found_by_the_names_that_datasets_use(row: dict[str, str], expected: tuple[str | None, ...]) -> None:
    found = columns_of(list(row))
    assert (found.problem, found.solution, found.tests, found.language) == expected


def test_columns_of_other_names_are_named_by_the_caller() -> None:
    found = columns_of(["aufgabe", "loesung"], {"problem": "aufgabe", "solution": "loesung"})
    assert (found.problem, found.solution) == ("aufgabe", "loesung")
    with pytest.raises(UsageError, match=r"no problem and no solution.*aufgabe, loesung.*--columns"):
        columns_of(["aufgabe", "loesung"])
    with pytest.raises(UsageError, match="no solution"):
        columns_of(["problem", "tests"])
    with pytest.raises(UsageError, match="no column 'x'"):
        columns_of(["problem", "solution"], {"tests": "x"})
    with pytest.raises(UsageError, match="not 'answer'"):
        columns_of(["problem", "solution"], {"answer": "solution"})


def test_tests_come_in_many_shapes() -> None:
    assert read_tests(None) is read_tests("") is read_tests([]) is read_tests("[]") is None
    assert read_tests("assert f(1)") == "assert f(1)"
    assert read_tests('["assert f(1)", "assert f(2)"]') == ["assert f(1)", "assert f(2)"]
    pairs = '[{"input": "1", "output": "2"}, {"input": "3", "output": "4"}]'
    assert read_tests([{"input": 1, "output": 2}, {"input": 3, "output": 4}]) == pairs
    assert read_tests('{"inputs": ["1", "3"], "outputs": ["2", "4"]}') == pairs
    assert read_tests({"fn_name": "f", "inputs": [[1, "a"]], "outputs": [2]}) == "assert f(*[1, 'a']) == 2\n"
    assert read_tests("[not json") == "[not json"
    assert text_of([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]) == "a"
    assert text_of('["first", "second"]') == "first"
    assert text_of(None) == ""
    assert language_of("C++", "python") == "cpp"
    assert language_of("english", "python") == "python"


def test_no_text_holds_up_the_other_rows(tmp_path: Path) -> None:
    """Half surrogate pairs, deep nesting, null bytes: each row gets its verdict."""
    odd = [
        {"problem": "p \ud800", "solution": "def f(x):\n    return '\ud800'", "tests": ["assert f(1) == '\ud800'"]},
        {"problem": "p", "solution": f"```python\n{'(' * 5000}\n```", "tests": ["assert f(1)"]},
        {"problem": "p", "solution": "def f(x):\n    return x", "tests": ["(" * 20_000]},
        {"problem": "p", "solution": "def f(x):\n    return x\n\x00", "tests": json.dumps(["assert f('\ud800') == 1"])},
        {"problem": "p", "solution": DOUBLE, "tests": ASSERTS},
    ]
    report = hf_oss_instruct.verify(written(tmp_path / "rows.jsonl", odd), tmp_path / "out")
    assert report["pending"] == 0
    assert [row["solution"] for row in read(tmp_path / "out" / "data")][-1] == DOUBLE
    assert report["kept"] + sum(report["rejected"].values()) == len(odd)


def test_a_table_that_brings_tests_needs_no_teacher(tmp_path: Path) -> None:
    source = written(
        tmp_path / "rows.jsonl",
        [
            {"instruction": "Double it.", "response": DOUBLE, "tests": json.dumps(ASSERTS), "source": "a"},
            {"instruction": "Triple it.", "response": DOUBLE, "tests": '["assert double(1) == 3"]', "source": "b"},
            {"instruction": "Square what is read.", "response": "n = int(input())\nprint(n * n)", "tests": json.dumps(
                {"inputs": ["2\n", "3\n"], "outputs": ["4\n", "9\n"]}), "source": "c"},
            {"instruction": "No test.", "response": DOUBLE, "tests": None, "source": "d"},
            {"instruction": "JavaScript?", "response": DOUBLE, "tests": "test('x', () => { expect(1).toBe(1); })", "source": "e"},
            {"instruction": "No code.", "response": "", "tests": "assert 1", "source": "f"},
            {"instruction": "Large.", "response": f"x = '{'x' * 1_000_000}'", "tests": "assert x", "source": "g"},
            {"instruction": "Many.", "response": DOUBLE, "tests": "assert double(1) == 2\n" * 10_000, "source": "h"},
            {"instruction": "Kotlin.", "response": "```kotlin\nfun f() = 1\n```", "tests": "check(f() == 1)", "source": "i"},
        ],
    )  # fmt: skip
    report = hf_oss_instruct.verify(source, tmp_path / "out")
    kept = {row["source"]: row for row in read(tmp_path / "out" / "data")}
    fallen = {row["source"]: (row["reason"], row["detail"]) for row in read(tmp_path / "out" / "rejected")}
    assert set(kept) == {"a", "c"}
    assert {source: reason for source, (reason, _) in fallen.items()} == {
        "b": "tests_failed",
        "d": "tests_missing",
        "e": "tests_missing",
        "f": "empty",
        "g": "tests_failed",
        "h": "tests_missing",
        "i": "not_verifiable",
    }
    assert "10,000 tests" in fallen["h"][1]
    assert "256,000" in fallen["g"][1]
    assert report["requested"] == report["kept"] + sum(report["rejected"].values()) + report["pending"] == 9
    assert report["requests_sent"] == 0
    assert report["columns_renamed"] == {"tests": "source_tests"}
    assert kept["a"]["source_tests"] == json.dumps(ASSERTS)
    assert kept["a"]["tests"] == ASSERTS
    assert json.loads(kept["c"]["tests"][0]) == {"input": "2\n", "output": "4\n"}, "the column can be given again"
    assert kept["a"]["response"] == DOUBLE
    assert len(load_dataset(str(tmp_path / "out"), "sft", split="train", cache_dir=str(tmp_path / "cache"))) == 2

    again = hf_oss_instruct.verify(tmp_path / "out" / "data", tmp_path / "again", columns={"tests": "tests"})
    assert again["kept"] == 2, "what was verified is verified by the tests it carries"


def test_a_failing_row_that_is_kept_says_why(tmp_path: Path) -> None:
    tests = ["assert double(1) == 2", "assert double(2) == 5", "assert double(0) == 0", "assert double(3) == 7"]
    source = written(
        tmp_path / "rows.jsonl",
        [
            {"problem": "Double it.", "solution": DOUBLE, "tests": ASSERTS},
            {"problem": "Double it, nearly.", "solution": DOUBLE.replace("2 * x", "x * 2"), "tests": tests},
            {"problem": "Double it with flask.", "solution": WITH_FLASK, "tests": ASSERTS, "detail": "theirs"},
        ],
    )
    hf_oss_instruct.verify(source, tmp_path / "out", keep="all", unverifiable="keep")
    right, wrong, flask = (row["detail"] for row in read(tmp_path / "out" / "data"))
    assert right is None
    assert wrong.startswith("fails tests 2, 4 of 4: ")
    assert "AssertionError" in wrong
    assert "flask" in flask
    assert read(tmp_path / "out" / "data")[2]["source_detail"] == "theirs"
    hf_oss_instruct.verify(source, tmp_path / "strict")
    assert [row["detail"] for row in read(tmp_path / "strict" / "rejected")] == [wrong, flask]
    report = hf_oss_instruct.curate(tmp_path / "out", tmp_path / "curated", steps=["duplicates"])
    assert (report["kept"], report["columns_renamed"]) == (3, {})
    assert [row["detail"] for row in read(tmp_path / "curated" / "data")] == [right, wrong, flask]


@pytest.mark.parametrize(
    ("names", "given"),
    [
        (("prompt", "completion", "test_list"), None),
        (("task", "code_of_it", "cases"), {"problem": "task", "solution": "code_of_it", "tests": "cases"}),
        (("question", "solutions", "tests"), None),
    ],
)
def test_curation_reads_pairs_from_the_columns_that_verification_read(
    tmp_path: Path, names: tuple[str, str, str], given: dict[str, str] | None
) -> None:
    """Of a verified table with other column names, curation writes the configs `sft` and `preference` as verification did."""
    tests = ["assert top([1, 3]) == 3", "assert top([2]) == 2", "assert top([-1, -2]) == -1"]
    wrong = "def top(v):\n    return v[0]\n"
    values = [("Return the greatest number.", "def top(v):\n    return max(v)\n", tests)]
    with LocalTeacher(lambda body: Answer(text=f"```python\n{wrong}```")) as server:
        hf_oss_instruct.verify(
            written(tmp_path / "rows.jsonl", [dict(zip(names, one, strict=True)) for one in values]),
            tmp_path / "out",
            teacher=InferenceTeacher("m", server.base_url),
            solutions=2,
            columns=given,
        )
    report = hf_oss_instruct.curate(tmp_path / "out", tmp_path / "curated", steps=["duplicates"])
    assert (report["kept"], report["pairs"]) == (1, 1)
    assert read(tmp_path / "curated" / "sft") == read(tmp_path / "out" / "sft")
    assert read(tmp_path / "curated" / "sft")[0]["completion"] == values[0][1]
    assert read(tmp_path / "curated" / "preference") == read(tmp_path / "out" / "preference")
    twice = hf_oss_instruct.curate(tmp_path / "curated", tmp_path / "twice", steps=["duplicates"])
    assert twice["pairs"] == 1


@pytest.mark.parametrize(
    ("task_id", "expected"),
    [
        *[("CPP/0", "cpp"), ("Java/12", "java"), ("Rust/3", "rust"), ("Python/1", "python"), ("Go/7", "go")],
        *[("JavaScript/5", "javascript"), ("HumanEval/3", "shell"), ("Mbpp/2", "shell"), ("x/cpp/1", "shell")],
        *[(7, "shell"), (None, "shell")],
    ],
)
def test_a_problem_id_of_humaneval_x_names_the_language(task_id: Any, expected: str) -> None:
    assert language_of(None, "shell", task_id) == expected


def test_the_language_of_a_row_is_read_where_it_stands(tmp_path: Path) -> None:
    """A column of languages comes first, in MultiPL-E's spellings too; then the id; then `--language`."""
    rows = [
        {"name": "HumanEval_0_f", "task_id": None, "language": "rs", "prompt": "p", "canonical_solution": "s"},
        {"name": "x", "task_id": "Go/3", "language": None, "prompt": "p", "canonical_solution": "s"},
        {"name": "y", "task_id": "HumanEval/1", "language": None, "prompt": "p", "canonical_solution": "s"},
    ]
    source = read_source(str(written(tmp_path / "rows.jsonl", rows)), language="ruby")
    assert [row["lang"] for row in source] == ["rust", "go", "ruby"]


def test_a_body_completes_the_prompt_and_check_is_called_with_the_entry_point(tmp_path: Path) -> None:
    """HumanEval's columns. The check of a wrong body fails, and an entry point that is no name is never code."""
    prompt = 'def double(x: int) -> int:\n    """Double it."""\n'
    check = "METADATA = {}\n\n\ndef check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-3) == -6\n"
    rows = [
        {"canonical_solution": "\n    return 2 * x\n", "entry_point": "double"},
        {"canonical_solution": "    return 3 * x\n", "entry_point": "double"},
        {"canonical_solution": "def double(x):\n    return 2 * x\n", "entry_point": "double"},
        {"canonical_solution": "    return 2 * x\n", "entry_point": "print('out of here')"},
    ]
    source = written(tmp_path / "rows.jsonl", [{"prompt": prompt, "test": check, **row} for row in rows])
    report = hf_oss_instruct.verify(source, tmp_path / "out")
    assert report["rejected"] == {"tests_failed": 1, "tests_vacuous": 1}
    kept = read(tmp_path / "out" / "data")
    assert [row["canonical_solution"] for row in kept] == [rows[0]["canonical_solution"], rows[2]["canonical_solution"]]
    assert [row["execution_status"] for row in kept] == ["passed", "passed"]
    assert kept[0]["solutions"][0]["text"] == prompt + rows[0]["canonical_solution"], "the program that ran"
    completions = [row["completion"] for row in read(tmp_path / "out" / "sft")]
    assert prompt in str(completions[0]), "whoever trains on it gets a whole program"


@pytest.fixture
def without_ruby(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A machine without Ruby: its interpreter has a name that nobody has. Yields the line that installs it."""
    row = TOOLCHAINS["ruby"]
    monkeypatch.setitem(TOOLCHAINS, "ruby", replace(row, needs=("ruby-that-nobody-has",)))
    why_unavailable.cache_clear()
    toolchain_of.cache_clear()
    yield row.install
    why_unavailable.cache_clear()
    toolchain_of.cache_clear()


@pytest.mark.parametrize("unverifiable", ["drop", "keep"])
def test_a_missing_toolchain_is_named_with_the_line_that_installs_it(
    unverifiable: str, without_ruby: str, tmp_path: Path
) -> None:
    """Neither right nor wrong: the row is dropped and counted, or kept with its status, and other languages go on."""
    rows = [
        {
            "problem": "Double it.",
            "solution": "def double(x) = 2 * x\n",
            "tests": ["raise unless double(2) == 4"],
            "lang": "ruby",
        },
        {"problem": "Double it.", "solution": DOUBLE, "tests": ASSERTS, "lang": "python"},
    ]
    source = written(tmp_path / "rows.jsonl", [row | {"flags": "theirs", "reason": "a test"} for row in rows])
    report = hf_oss_instruct.verify(source, tmp_path / "out", unverifiable=unverifiable)
    kept, rejected = read(tmp_path / "out" / "data"), read(tmp_path / "out" / "rejected")
    assert report["verification"]["not_verifiable"] == {"toolchain": 1}
    assert report["requested"] == 2 == report["kept"] + sum(report["rejected"].values())
    assert {row["source_flags"] for row in [*kept, *rejected]} == {"theirs"}
    assert {row["source_reason"] for row in [*kept, *rejected]} == {"a test"}
    if unverifiable == "drop":
        assert [row["lang"] for row in kept] == ["python"]
        [row] = rejected
        assert row["reason"] == "not_verifiable"
        assert row["detail"] == f"toolchain: ruby-that-nobody-has is not installed. Install it with: {without_ruby}"
    else:
        assert [row["execution_status"] for row in kept] == ["not_verifiable", "passed"]
        assert [row["flags"] for row in kept] == [["not_verifiable:toolchain"], None]
        assert not rejected


CHATS = {
    "messages": [
        {"role": "system", "content": "You write code."},
        {"role": "user", "content": "Double it."},
        {"role": "assistant", "content": "Which language?"},
        {"role": "user", "content": "Python."},
        {"role": "assistant", "content": DOUBLE},
    ],
    "conversations": [{"from": "human", "value": "Double it."}, {"from": "gpt", "value": DOUBLE}],
}


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("column", CHATS)
def test_a_chat_holds_problem_and_solution(column: str, as_text: bool) -> None:
    names = columns_of(["id", column, "tests"])
    assert (names.problem, names.solution, names.tests) == (column, column, "tests")
    assert names == columns_of(["id", column, "tests"], {"problem": column, "solution": column})
    chat = json.dumps(CHATS[column]) if as_text else CHATS[column]
    assert (problem_of(chat, names), solution_of(chat, chat, names)) == ("Double it.", DOUBLE)
    changed = with_solution(chat, "other", names)
    assert type(changed) is type(chat)
    assert (problem_of(changed, names), solution_of(changed, changed, names)) == ("Double it.", "other")
    assert solution_of(chat, chat, names) == DOUBLE, "the row as it came is left as it is"
    asked = with_solution(json.dumps(CHATS[column][:1]), "", names)
    answered = with_solution(asked, DOUBLE, names)
    assert solution_of(answered, answered, names) == DOUBLE, "a chat that ends with a question gets an answer"
    assert with_solution("no chat", DOUBLE, names) == "no chat"


def test_what_is_no_chat_is_a_counted_rejection(tmp_path: Path) -> None:
    parts = [{"role": "user", "content": [{"type": "text", "text": "Double it."}]}]
    assert problem_of(parts, columns_of(["messages"])) == "Double it."
    chats = [CHATS["messages"], CHATS["messages"][:2], [], None, [{"role": None, "content": None}]]
    source = written(tmp_path / "rows.jsonl", [{"messages": chat, "tests": ASSERTS} for chat in chats])
    report = hf_oss_instruct.verify(source, tmp_path / "out")
    assert (report["kept"], report["rejected"], report["columns"]) == (1, {"empty": 4}, ["messages", "tests"])
    [row] = read(tmp_path / "out" / "data")
    assert row["messages"] == CHATS["messages"]


def test_a_better_solution_takes_the_place_of_the_last_turn(tmp_path: Path) -> None:
    problem, wrong = pair(1, "wrong")[:2]
    chat = [{"from": "human", "value": problem}, {"from": "gpt", "value": wrong}]
    source = written(tmp_path / "rows.jsonl", [{"conversations": chat}])
    with verifying_teacher() as teacher:
        model = InferenceTeacher("m", teacher.base_url)
        hf_oss_instruct.verify(source, tmp_path / "out", teacher=model, solutions=2)
    [row] = read(tmp_path / "out" / "data")
    assert row["conversations"] == [chat[0], {"from": "gpt", "value": pair(1, "right")[1]}]


def test_what_calls_check_itself_is_left_alone() -> None:
    called = "def check(candidate):\n    assert candidate(1)\n\ncheck(f)\n"
    assert tests_of(called, "f") == called
    assert tests_of(["assert f(1)"], "f") == ["assert f(1)"]
    assert tests_of("def check(candidate):\n    assert candidate(1)\n", "f") == called
    assert tests_of(None, "f") is None


def test_a_run_is_verified_with_tests_asked_apart_and_goes_on_where_it_was(tmp_path: Path) -> None:
    pairs = [pair(0, "right"), pair(1, "wrong")]
    source = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"problem": [one[0] for one in pairs], "solution": [one[1] for one in pairs]}), source)
    with verifying_teacher() as teacher:
        model = InferenceTeacher("m", teacher.base_url)
        report = hf_oss_instruct.verify(source, tmp_path / "out", teacher=model, solutions=2)
        assert (report["kept"], report["requests_sent"]) == (2, 4)
        lines = (tmp_path / "out" / "verdicts.jsonl").read_bytes()
        again = hf_oss_instruct.verify(source, tmp_path / "out", teacher=model, solutions=2)
        assert len(teacher.requests) == 4
    assert again["kept"] == 2
    assert (tmp_path / "out" / "verdicts.jsonl").read_bytes() == lines
    found = read(tmp_path / "out" / "data")
    assert [row["attempts"] for row in found] == [2, 2]
    assert found[1]["solution"] == pair(1, "right")[1], "the wrong one was replaced"
    assert found[1]["solutions"][0]["text"] == pairs[1][1]


def test_the_command_says_what_it_would_cost_and_what_it_found(tmp_path: Path) -> None:
    rows = [{"problem": "Double it.", "solution": DOUBLE, "tests": tests} for tests in (ASSERTS, [])]
    source = written(tmp_path / "rows.jsonl", rows)
    words = ["verify", str(source), "--out", str(tmp_path / "out")]
    server = ["--model", "m", "--base-url", "http://127.0.0.1:9/v1"]
    planned = CliRunner().invoke(cli, [*words, "--dry-run", *server, "--repair", "2"])
    assert "# 1 row with tests: 0 to 2 requests each" in planned.output, planned.output
    assert "# 1 row without tests: 1 to 3 requests each" in planned.output
    assert "# up to 5 requests in all" in planned.output
    apart = CliRunner().invoke(cli, [*words, "--dry-run", *server, "--tests", "apart"])
    assert "# 2 rows: 1 request each" in apart.output, apart.output
    plain = CliRunner().invoke(cli, [*words, "--dry-run"])
    assert "# 1 row without tests: rejected as tests_missing" in plain.output, plain.output
    assert "# no requests, into" in plain.output
    assert not (tmp_path / "out").exists()
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert "1 row kept of 2" in done.output
    other = CliRunner().invoke(cli, [*words, "--mutants", "2"])
    assert other.exit_code == 1
    assert "--mutants: 8 in the folder, 2 now" in str(other.exception), "another job is refused with the difference"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--solutions", "3"), "cannot solve or repair anything"),
        (("--tests", "apart"), "cannot write tests"),
        (("--columns", "problem"), "FIELD=COLUMN"),
        (("--language", "klingon"), "Unknown language 'klingon'"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    source = written(tmp_path / "rows.jsonl", [{"problem": "p", "solution": "s"}])
    done = CliRunner().invoke(cli, ["verify", str(source), "--out", str(tmp_path / "out"), *words])
    assert said in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_without_isolation_every_row_says_so(tmp_path: Path) -> None:
    source = written(tmp_path / "rows.jsonl", [{"problem": "Double it.", "solution": DOUBLE, "tests": ASSERTS}])
    report = hf_oss_instruct.verify(source, tmp_path / "out", unsafe_no_sandbox=True)
    assert report["sandbox"] == "unsafe-none"
    assert [row["sandbox"] for row in read(tmp_path / "out" / "data")] == ["unsafe-none"]
    assert "ran without isolation" in (tmp_path / "out" / "README.md").read_text()


def test_the_names_of_selection_methods_are_those_of_the_core() -> None:
    from hf_oss_instruct.spec.verification import METHODS
    from hf_oss_instruct.verification.selection import METHODS as KNOWN

    assert tuple(KNOWN) == METHODS
    assert core.STATUSES[0] == "passed"
