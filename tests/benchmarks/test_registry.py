"""A benchmark is found under every spelling of its name, at every place where a user writes one, and recorded under one name."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.benchmarks.registry import BENCHMARKS, USUAL_COLUMNS, canonical, decontaminated, recorded
from hf_oss_instruct.benchmarks.rows import read_rows
from hf_oss_instruct.curation.decontamination.benchmark_tasks import tasks_of
from hf_oss_instruct.curation.decontamination.benchmarks import find, keys
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.benchmarks import load, multipl_e
from hf_oss_instruct.evaluation.evaluate import _all_tasks
from hf_oss_instruct.spec.run import RunSpec
from tests.evaluation import toys
from tests.evaluation.real import DATA, real_data
from tests.support.warm import BASE

SPELLINGS = {
    "humaneval": ["humaneval", "HumanEval", "human_eval", "human-eval", "HUMANEVAL"],
    "humaneval_plus": ["humaneval_plus", "humanevalplus", "HumanEval+", "humaneval-plus", "HumanEvalPlus", "human_eval_plus"],
    "mbpp_plus": ["mbpp_plus", "mbppplus", "MBPP+", "mbpp-plus", "MbppPlus"],
    "multipl_e": ["multipl_e", "multipl-e", "MultiPL-E", "multiple"],
    "ds1000": ["ds1000", "DS-1000", "ds_1000"],
    "livecodebench": ["livecodebench", "LiveCodeBench", "live-code-bench"],
}
RECORDED = {"humaneval_plus": "humanevalplus", "mbpp_plus": "mbppplus", "multipl_e": "multipl-e"}
"""Names that run configs have had from the first version."""
ALL = [(name, spelling) for name, spellings in SPELLINGS.items() for spelling in spellings]


@pytest.mark.parametrize(("name", "spelling"), ALL)
def test_every_spelling_means_one_benchmark_at_every_door(name: str, spelling: str) -> None:
    kept = RECORDED.get(name, name)
    assert (canonical(spelling), recorded(spelling)) == (name, kept)
    assert [listed.name for listed in find([spelling])] == [kept]  # --benchmarks, and benchmarks= of load_dataset
    assert keys([spelling], ()) == (kept,)
    assert RunSpec.from_yaml(f"version: 1\nchecks:\n  benchmarks: ['{spelling}']\n").checks.benchmarks == (kept,)


@pytest.mark.parametrize("spelling", SPELLINGS["humaneval_plus"])
def test_a_task_is_scored_under_its_canonical_name(spelling: str, tmp_path: Path) -> None:
    toys.plus(tmp_path)
    assert load(spelling, data=tmp_path).task == "humaneval_plus"
    assert _all_tasks([spelling, "humaneval_plus"]) == ["humaneval_plus"]


@pytest.mark.parametrize("spelling", ["multipl_e:java", "MultiPL-E:Java", "multipl-e:java", "multipl_e:JAVA"])
def test_the_language_of_a_translated_benchmark_may_be_in_any_case(spelling: str) -> None:
    assert canonical(spelling) == "multipl_e:java"
    assert canonical(spelling.replace(":", ":mbpp_")) == canonical(spelling.replace(":", ":MBPP-")) == "multipl_e:mbpp-java"
    assert len(_all_tasks(["MultiPL-E"])) == 18


def test_no_two_benchmarks_share_a_spelling_and_unknown_names_are_refused(tmp_path: Path) -> None:
    assert {canonical(name) for name in BENCHMARKS} == set(BENCHMARKS)
    assert canonical("humanevil") == recorded("humanevil") == "humanevil"
    with pytest.raises(UsageError, match=r"Unknown task 'humanevil'.*humaneval_plus"):
        load("humanevil", data=tmp_path)
    with pytest.raises(UsageError, match=r"Unknown benchmark 'humanevil'.*humaneval_plus"):
        find(["humanevil"])
    with pytest.raises(UsageError, match="MultiPL-E has no language"):
        load("multipl_e:ja\nva", data=tmp_path)


@pytest.mark.parametrize("spelling", ["multipl_e:java", "MultiPL-E:JAVA", "multiple:java"])
def test_a_language_of_a_translated_benchmark_is_one_thing_in_every_command(spelling: str) -> None:
    [listed] = find([spelling])
    assert (listed.name, recorded(spelling), keys([spelling], ())) == ("multipl-e:java", "multipl-e:java", ("multipl-e:java",))
    assert decontaminated("multipl-e:java").files == ("humaneval-java/test-*",)  # type: ignore[union-attr]
    assert decontaminated("multipl-e:mbpp-java").files == ("mbpp-java/test-*",)  # type: ignore[union-attr]
    assert _all_tasks([spelling]) == ["multipl_e:java"]
    assert multipl_e.source("C++")[0] == canonical("multipl_e:C++") == "multipl_e:cpp"
    assert recorded("multipl_e:ocaml") == recorded("multipl_e:ml") == "multipl-e:ml"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("multipl_e:klingon", "MultiPL-E has no language 'klingon'. Use one of: cpp, cs"),
        ("humaneval:java", "'humaneval:java' has a language, and only multipl_e has several. Write humaneval."),
    ],
)
def test_a_part_that_a_benchmark_lacks_is_refused_by_every_command(name: str, said: str) -> None:
    for call in (lambda: find([name]), lambda: load(name), lambda: _all_tasks([name]), lambda: recorded(name)):
        with pytest.raises(UsageError) as refused:
            call()
        assert str(refused.value).startswith(said)


def test_a_benchmark_of_many_languages_is_scored_by_language() -> None:
    with pytest.raises(UsageError, match=r"scored one by one. Write multipl_e:java, or another of: cpp, cs, d"):
        load("multipl_e")
    with pytest.raises(UsageError, match=r"MultiPL-E's language 'clj' cannot be scored. Use one of: cpp"):
        load("multipl_e:clj")


def test_a_benchmark_is_read_by_the_columns_of_its_entry_wherever_it_is_used(tmp_path: Path) -> None:
    """Columns that are none of HumanEval's are not searched for, even under a name that other benchmarks use for prompts."""
    row = {name: toys.PLUS[0][name] for name in ("task_id", "prompt", "entry_point", "canonical_solution")}
    rows = [{"name": "other", "text": "Not its problem.", "solution": "not()", **row, "test": "def check(candidate): pass"}]
    benchmark = BENCHMARKS["humaneval"]
    cached = tmp_path / "hub" / "datasets--openai--openai_humaneval" / "snapshots" / benchmark.revision / "openai_humaneval"
    cached.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), cached / "test-00000.parquet")
    code = (
        "from hf_oss_instruct.curation.decontamination.benchmarks import find\n"
        "from hf_oss_instruct.reporting.measures.similarity import texts_of\n"
        "from hf_oss_instruct.evaluation.benchmarks import load\n"
        "(listed,) = find(['humaneval']); print(listed.tasks, texts_of(listed), load('humaneval').problems)"
    )
    said = BASE.run(["-c", code], env=os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}, check=True).stdout
    assert said.count("HumanEval/900") >= 3
    assert "Add two numbers." in said
    assert "Not its problem." not in said
    assert "not()" not in said
    assert "Not its problem." in str(list(tasks_of("mine", rows))), "data without an entry is read by the names of columns"


def test_every_benchmark_names_its_columns() -> None:
    for benchmark in BENCHMARKS.values():
        assert benchmark.columns.prompts
        assert benchmark.columns.names < USUAL_COLUMNS.names, benchmark.name


@real_data
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("humaneval", "humaneval/HumanEval.jsonl.gz"),
        ("humaneval_plus", "humanevalplus/HumanEvalPlus.jsonl.gz"),
        ("mbpp_plus", "mbppplus/MbppPlus.jsonl.gz"),
        ("multipl_e", "multipl-e/humaneval-java.jsonl"),
    ],
)
def test_the_tasks_of_real_data_are_the_same_by_its_entry_as_by_the_names_of_columns(name: str, file: str) -> None:
    rows = [row.value for row in read_rows(DATA / file)]
    if name == "multipl_e":  # the Hub's rows have a name, and no other id
        rows = [{column: value for column, value in row.items() if column != "task_id"} for row in rows]
    tasks = list(tasks_of(name, rows, BENCHMARKS[name].columns))
    assert len(tasks) == len(rows)
    assert tasks == list(tasks_of(name, rows))
