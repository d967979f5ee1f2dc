"""Harbor tasks: the solution gets 1, and doing nothing, a wrong solution or leaving early gets 0, in every language."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.code.toolchains import TOOLCHAINS, missing_executables
from hf_oss_instruct.exports.export import export_to
from hf_oss_instruct.exports.harbor import confirm
from hf_oss_instruct.exports.harbor_tests import verifier_files
from hf_oss_instruct.rewards.grading.tests_of_row import RowTests
from hf_oss_instruct.verification.suites import LANGUAGES, csharp
from tests.exports.problems import PROBLEMS

SLOW = frozenset({"cpp", "csharp", "java", "racket", "rust"})
WRONG = {"2 *": "3 *", "* 2 x": "* 3 x", "sum = 0": "sum = 1", "ToUpper": "ToLower"}
FAILS = "its solution does not pass its own tests"


def exported(folder: Path, languages: list[str]) -> dict[str, Path]:
    """Export a task for each language: language → folder of the task."""
    rows = [
        {"problem": f"Solve it in {one}.", "solution": PROBLEMS[one][0], "tests": [PROBLEMS[one][1]], "lang": one}
        for one in languages
    ]
    (folder / "rows" / "data").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows" / "data" / "train.parquet")
    found = export_to("harbor", folder / "rows", folder / "out")
    assert (found.rows, found.skipped) == (len(languages), {})
    listed = [json.loads(line) for line in (folder / "out" / "tasks.jsonl").read_text().splitlines()]
    return {one["lang"]: folder / "out" / "tasks" / one["id"] for one in listed}


def files_of(task: Path) -> dict[str, str]:
    """The files of a task."""
    return {path.relative_to(task).as_posix(): path.read_text() for path in task.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "language", [pytest.param(one, marks=pytest.mark.long) if one in SLOW else one for one in sorted(PROBLEMS)]
)
def test_test_code_in_every_language_judges_solutions(language: str, tmp_path: Path) -> None:
    if lacking := missing_executables(TOOLCHAINS[language]):
        pytest.skip(f"{lacking} is not installed")
    task = exported(tmp_path, [language])[language]
    files = files_of(task)
    (solution,) = (name for name in files if name.startswith("solution/solution."))
    assert f"`/app/{solution.partition('/')[2]}`" in files["instruction.md"]
    image, install, *_ = files["environment/Dockerfile"].splitlines()
    assert re.fullmatch(r"FROM debian:bookworm-\d{8}-slim", image)
    assert "apt-get install --yes python3" in install
    assert tomllib.loads(files["task.toml"])["verifier"]["timeout_sec"] > 0
    assert (task / "tests" / "test.sh").stat().st_mode & 0o111
    changed = files[solution]
    for right, wrong in WRONG.items():
        changed = changed.replace(right, wrong)
    assert changed != files[solution]
    assert confirm(files | {solution: changed}) == FAILS


LEAVES = {
    "c": '#include <stdlib.h>\n__attribute__((constructor)) void leave(void) { exit(0); }\nint twice(int x) { return x; }\n',
    "javascript": "function twice(x) { return x; }\nconsole.log('all tests passed');\nprocess.exit(0);\n",
    "shell": "twice() { echo 4; }\necho 'all tests passed'\nexit 0\n",
}  # fmt: skip


def test_a_solution_that_leaves_with_success_before_its_tests_gets_nothing(tmp_path: Path) -> None:
    tasks = exported(tmp_path, list(LEAVES))
    for language, program in LEAVES.items():
        files = files_of(tasks[language])
        (solution,) = (name for name in files if name.startswith("solution/solution."))
        assert confirm(files | {solution: program}) == FAILS


def test_tasks_load_in_harbor_itself(tmp_path: Path) -> None:
    models = pytest.importorskip("harbor.models.task.task", reason="harbor needs Python 3.12")
    for task in exported(tmp_path, ["javascript", "shell"]).values():
        loaded = models.Task(task)
        assert "/app/solution." in loaded.instruction
        assert loaded.paths.test_path == task / "tests" / "test.sh"
        assert loaded.config.verifier.timeout_sec == 300


def test_an_id_from_the_rows_names_a_folder_in_out_and_nothing_else(tmp_path: Path) -> None:
    ids = ["../../../above", str(tmp_path / "absolute"), "..", "a\0b", "x" * 300, "same", "SAME", None]
    solution, tests = "echo hello", '{"input": "", "output": "hello"}'
    rows = [{"problem": "Solve it.", "solution": solution, "tests": [tests], "lang": "shell", "seed_id": one} for one in ids]
    (tmp_path / "rows" / "data").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows" / "data" / "train.parquet")
    before = {path.name for path in tmp_path.iterdir()}
    assert export_to("harbor", tmp_path / "rows", tmp_path / "deep" / "er" / "out").rows == len(ids)
    assert {path.name for path in tmp_path.iterdir()} == before | {"deep"}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["er"]
    tasks = sorted(path.name for path in (tmp_path / "deep" / "er" / "out" / "tasks").iterdir())
    assert len(tasks) == len(ids)
    assert {"same", "same_2"} < set(tasks)
    listed = (tmp_path / "deep" / "er" / "out" / "tasks.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["id"] for line in listed) == tasks


@pytest.mark.parametrize("language", sorted(set(PROBLEMS) & set(LANGUAGES)))
def test_a_task_has_every_file_that_its_language_imports(language: str) -> None:
    solution, tests = PROBLEMS[language]
    files = verifier_files(RowTests(language, (tests,), solution=solution))
    beside = r"^from hf_oss_instruct\.(verification\.suites\.\w+) import"
    imported = {name for text in files.values() for name in re.findall(beside, text, re.MULTILINE)}
    assert imported >= {"verification.suites.core"}
    assert {f"lib/hf_oss_instruct/{name.replace('.', '/')}.py" for name in imported} <= set(files)


def test_namespaces_are_found_without_a_parser() -> None:
    text = """namespace A.B { class X { string s = "} namespace No {"; char c = '{'; /* namespace No { */ }
        namespace C { namespace D { } } // }
    }
    namespace E { }"""
    assert csharp._namespaces(text) == {"A.B", "A.B.C", "A.B.C.D", "E"}
    assert csharp._namespaces("namespace F.G;\nclass A {}") == {"F.G"}
