"""Lists by name: from files, from a Hub, or noted as missing; and what a task says of itself."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.benchmarks.registry import DECONTAMINATED
from hf_oss_instruct.curation.decontamination import benchmarks
from hf_oss_instruct.curation.decontamination.benchmark_tasks import prose, statement, tasks_of
from hf_oss_instruct.curation.decontamination.benchmarks import find, keys
from hf_oss_instruct.curation.rows import read
from hf_oss_instruct.errors import SeedError, UsageError
from tests.support.hub import LocalHub
from tests.support.warm import BASE

ROW = {
    "task_id": "T/1",
    "prompt": 'def f(x):\n    """ Fold the napkin. """\n',
    "canonical_solution": "    return 1\n",
    "test": "x",
}


def lines(path: Path, *rows: Any) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def test_a_folder_holds_a_list_in_every_file_and_folder(tmp_path: Path) -> None:
    lines(tmp_path / "exam" / "one.jsonl.gz", ROW)
    lines(tmp_path / "exam" / "two.jsonl", ROW | {"task_id": "T/2"})
    pq.write_table(pa.Table.from_pylist([ROW]), tmp_path / "quiz.parquet")
    (tmp_path / "README.md").write_text("not a list")
    found = {listed.name: [task.name for task in listed.tasks] for listed in find([str(tmp_path)])}
    assert found == {"exam": ["exam:T/1", "exam:T/2"], "quiz": ["quiz:T/1"]}


def test_a_config_names_a_local_list_by_its_content_and_asks_for_its_path_again(tmp_path: Path) -> None:
    path = lines(tmp_path / "exam.jsonl", ROW)
    (listed,) = find([str(path)])
    assert listed.revision
    assert keys([str(path), "mbpp"], [listed]) == ("mbpp", f"exam@{listed.revision}")
    (again,) = find([f"exam@{listed.revision}"])
    assert again.why
    assert "--benchmarks" in again.why
    assert keys([again.key], [again]) == (again.key,), "and once"
    lines(path, ROW | {"prompt": "another"})
    assert find([str(path)])[0].revision != listed.revision


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no text column named"),
        (b'{"colour": "red"}\n', "Rename the one with the prompts"),
        (b"not json\n", "cannot be read"),
        (b'{"prompt": "caf\xe9"}\n', "cannot be read"),
    ],
)
def test_a_list_without_a_task_is_refused_with_what_it_holds(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "exam.jsonl").write_bytes(content)
    with pytest.raises(UsageError, match=said):
        find([str(tmp_path / "exam.jsonl")])


def test_an_empty_folder_and_an_unknown_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="contains no benchmark"):
        find([str(tmp_path)])
    with pytest.raises(UsageError, match="Unknown benchmark 'humanevil'"):
        find(["humanevil"])


@pytest.mark.parametrize("name", ["missing/", "./missing", "missing/tests.jsonl/", "../missing", "/missing"])
def test_a_path_that_does_not_exist_is_not_looked_for_on_the_hub(name: str) -> None:
    with pytest.raises(UsageError, match=f"No such file or folder: {re.escape(repr(name))}"):
        find([name])
    with pytest.raises(SeedError, match=r"neither a local file or folder nor the id of a dataset"):
        read(name)


def test_a_name_that_may_be_a_path_or_a_hub_id_is_said_to_be_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # not asked five times, with pauses
    assert (find(["data/missing"])[0].why or "").startswith("no file or folder has this name, and the Hub cannot be reached")
    with pytest.raises(SeedError, match="'data/missing' is not a local file or folder, and cannot be loaded from the Hub"):
        read("data/missing")


def test_lists_that_cannot_be_had_say_why_and_large_ones_wait_to_be_named() -> None:
    found = {listed.name: listed for listed in find(["default"])}  # the Hub of these tests is never there
    assert set(found) == set(DECONTAMINATED)
    assert all(listed.why and not listed.tasks for listed in found.values())
    assert "cannot be reached" in (found["humaneval"].why or "")
    assert "named" not in (found["apps"].why or "")
    assert "--benchmarks default,apps" in (found["apps"].why or "")
    assert [name for name, listed in found.items() if listed.left_out] == ["apps", "livecodebench"]
    assert (found["mbpp"].why or "") == "the Hub cannot be reached"  # the whole story is told once
    assert all(len(source.revision) == 40 for source in DECONTAMINATED.values())


def test_a_list_comes_from_the_hub_at_its_revision_and_then_from_the_cache(tmp_path: Path) -> None:
    code = (
        "from hf_oss_instruct.curation.decontamination.benchmarks import find\n"
        "a, = find(['ns/exam']); print(a.revision, a.why, [task.name for task in a.tasks])"
    )

    def run(environment: dict[str, str]) -> str:
        return BASE.run(["-c", code], env=os.environ | environment, check=True).stdout.strip()

    with LocalHub() as hub:
        sha = hub.put("ns/exam", "data/test.jsonl", lines(tmp_path / "test.jsonl", ROW).read_bytes())
        environment = hub.environment(tmp_path / "home")
        assert run(environment) == f"{sha} None ['ns/exam:T/1']"
    assert run(environment) == f"{sha} None ['ns/exam:T/1']"


def test_the_columns_of_many_benchmarks_are_recognized() -> None:
    rows = [
        {"id": 3, "question": "How many?", "solutions": json.dumps(["print(1)", "print(2)"])},
        {"question_id": "q", "question_content": "Sum them."},
        {
            "task_id": 11,
            "text": "Write a function to open doors.",
            "code": "def open_doors(): 1",
            "test_list": ["assert open_doors() == 1"],
        },
        {"prompt": None},
    ]
    first, second, third = tasks_of("b", rows)
    assert (first.name, first.solutions) == ("b:3", ("print(1)", "print(2)"))
    assert (second.name, second.statements) == ("b:q", ("Sum them.",))
    assert (third.proses, third.entry_points) == (("open doors.",), ("open_doors",))


def test_a_statement_is_the_words_of_a_prompt_and_its_prose_ends_at_the_first_example() -> None:
    prompt = 'import re\n\ndef f(x):\n    """ Fold the napkin.\n    Twice.\n    >>> f(1)\n    2\n    """\n'
    assert statement(prompt).startswith("Fold the napkin.")
    assert prose(statement(prompt)).split() == ["Fold", "the", "napkin.", "Twice."]
    assert statement("/// Fold it.\n/// Twice.\nfn f(x: i64) {").split() == ["Fold", "it.", "Twice."]


def test_names_on_the_hub_are_whole_ids() -> None:
    assert benchmarks._from_hub("ns/x@main", named=True, reachable=False).revision == "main"
