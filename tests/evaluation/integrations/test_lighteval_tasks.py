"""Our tasks in the plain `lighteval` command."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.benchmarks import load
from hf_oss_instruct.evaluation.scoring.run import score
from tests.evaluation import toys
from tests.evaluation.real import DATA, PROBLEMS, real_data
from tests.support.extras import needs
from tests.support.models import saved_model
from tests.support.warm import EVALUATE

needs("lighteval")
TASKS = "hf_oss_instruct.evaluation.integrations.lighteval_tasks"
ORACLE = Path(__file__).parent / "oracle.py"


def lighteval(data: Path, *words: str | Path) -> dict[str, Any]:
    """Run the command, and return what it leaves: task → its scores."""
    out = data.parent / "out"
    there = {"OSS_INSTRUCT_BENCHMARKS": str(data), "HOME": str(data.parent)}
    words = (*words, "--custom-tasks", TASKS, "--output-dir", out, "--save-details")
    done = EVALUATE.run(["-m", "lighteval", *words], env=os.environ | there)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    results: dict[str, Any] = json.loads(next(out.rglob("results_*.json")).read_text())["results"]
    return results


def details(data: Path, task: str) -> Path:
    return next((data.parent / "out" / "details").rglob(f"details_{task}|0_*.parquet"))


def test_an_oracle_solves_every_task_in_both_styles(tmp_path: Path) -> None:
    data = tmp_path / "data"
    toys.plus(data)
    toys.multipl_e(data, toys.SCRIPT)
    found = lighteval(data, "custom", "oracle", ORACLE, "humaneval_plus|0,humaneval_plus_chat|0,multipl_e:js|0")
    for task in ("humaneval_plus|0", "humaneval_plus_chat|0"):
        assert found[task] == {
            "pass@1": 1.0, "pass@1_stderr": 0.0, "base_pass@1": 1.0, "base_pass@1_stderr": 0.0, "not_evaluated": 0.0,
        }  # fmt: skip
    assert found["multipl_e:js|0"] == {"pass@1": 1.0, "not_evaluated": 0.0}
    rows = pq.read_table(details(data, "humaneval_plus")).to_pylist()
    assert {row["doc"]["specific"]["task_id"] for row in rows} == {row["task_id"] for row in toys.PLUS}
    assert all(row["doc"]["specific"]["version"].startswith("sha256:") for row in rows)
    assert [row["metric"]["pass@k"]["status"] for row in rows] == [["passed"]] * 3
    found, _ = score("humaneval_plus", details(data, "humaneval_plus_chat"), data=data)  # `score` reads them, too
    assert found.scores["plus"]["pass@1"]["mean"] == 1.0


def test_several_samples_are_really_asked_for_and_pass_at_k_is_the_unbiased_one(tmp_path: Path) -> None:
    toys.plus(tmp_path / "data")
    found = lighteval(tmp_path / "data", "custom", "oracle", ORACLE, "humaneval_plus@n=12|0")["humaneval_plus|0"]
    assert found["pass@1"] == pytest.approx(0.5)
    assert found["pass@10"] == pytest.approx(1 - 0 / math.comb(12, 10))
    assert "pass@100" not in found
    for row in pq.read_table(details(tmp_path / "data", "humaneval_plus")).to_pylist():
        assert row["metric"]["pass@k"]["passed"] == [True, False] * 6


def test_a_tiny_model_of_random_weights_goes_all_the_way_and_solves_nothing(tmp_path: Path) -> None:
    toys.plus(tmp_path / "data")
    model = saved_model(tmp_path / "model", "qwen", [row["prompt"] for row in toys.PLUS])
    words = f"model_name={model},batch_size=3,override_chat_template=False"
    found = lighteval(tmp_path / "data", "accelerate", words, "humaneval_plus|0")["humaneval_plus|0"]
    assert found["pass@1"] == found["base_pass@1"] == 0.0
    for row in pq.read_table(details(tmp_path / "data", "humaneval_plus")).to_pylist():
        assert row["metric"]["pass@k"]["passed"] == [False]
        assert row["model_response"]["text"][0].strip()
        assert row["metric"]["pass@k"]["program"][0].startswith(row["doc"]["query"])


@real_data
@PROBLEMS
def test_the_reference_solutions_of_humaneval_plus_score_one(tmp_path: Path, count: int) -> None:
    (tmp_path / "data").symlink_to(DATA / "humanevalplus")
    words = ("custom", "oracle", ORACLE, "humaneval_plus|0", "--max-samples", str(count))
    found = lighteval(tmp_path / "data", *words)["humaneval_plus|0"]
    assert pq.read_table(details(tmp_path / "data", "humaneval_plus")).num_rows == count
    assert found["pass@1"] == found["base_pass@1"] == 1.0


def test_the_table_holds_what_the_folder_has_and_every_language_without_one(tmp_path: Path) -> None:
    script = tmp_path / "names.py"
    code = f"from {TASKS} import TASKS_TABLE as t; print(len(t), *[c.name for c in t][:5], *{{c.hf_repo for c in t}})"

    script.write_text(code)

    def names(**there: str) -> list[str]:
        return EVALUATE.run([script], env=os.environ | there).stdout.split()

    count, *some = names()
    assert int(count) == 2 * (4 + 2 * 18)
    assert some[:5] == ["humaneval", "humaneval_plus", "mbpp", "mbpp_plus", "multipl_e:cpp"]
    sets = ("openai/openai_humaneval", "evalplus/humanevalplus", "google-research-datasets/mbpp", "evalplus/mbppplus")
    assert set(some[5:]) == {*sets, "nuprl/MultiPL-E"}
    toys.multipl_e(tmp_path, toys.SCRIPT)
    assert names(OSS_INSTRUCT_BENCHMARKS=str(tmp_path))[:3] == ["2", "multipl_e:js", "multipl_e_chat:js"]


@real_data
@EVALUATE.test
def test_stop_tokens_are_those_of_the_data() -> None:
    from hf_oss_instruct.evaluation.integrations.lighteval_tasks import MULTIPL_E_STOPS

    for key, stops in MULTIPL_E_STOPS.items():
        assert {problem.stop_tokens for problem in load(f"multipl_e:{key}", DATA).problems.values()} == {tuple(stops)}


@real_data
@EVALUATE.test
def test_rows_of_the_hub_become_documents_by_their_own_ids() -> None:
    from hf_oss_instruct.evaluation.integrations import lighteval_tasks

    os.environ[lighteval_tasks.DATA_VARIABLE] = str(DATA)
    rows = {
        "humaneval_plus": ({"task_id": "HumanEval/0"}, "HumanEval/0"),
        "mbpp_plus_chat": ({"task_id": 2, "test_list": []}, "Mbpp/2"),
        "multipl_e:js": ({"name": "HumanEval_23_strlen", "language": "js"}, "HumanEval_23_strlen"),
    }
    configs = {config.name: config for config in lighteval_tasks.TASKS_TABLE}
    for name, (row, task_id) in rows.items():
        document = configs[name].prompt_function(row | {"__few_shots": False, "__index": 0}, name)
        assert document.specific["task_id"] == task_id
        assert document.specific["kind"] == ("answer" if "chat" in name else "completion")
        with pytest.raises(UsageError, match="does not support few-shot examples"):
            configs[name].prompt_function(row | {"__few_shots": True}, name)


@EVALUATE.test
def test_a_language_that_cannot_be_judged_is_no_number_and_no_zero() -> None:
    from hf_oss_instruct.evaluation.integrations.lighteval_tasks import aggregated

    nothing = {"passed": [None], "base": [None]}
    found = aggregated([nothing, nothing])
    assert math.isnan(found.pop("pass@1"))
    assert found == {"not_evaluated": 2.0}
    assert aggregated([nothing, {"passed": [True], "base": [None]}]) == {"pass@1": 1.0, "not_evaluated": 1.0}
