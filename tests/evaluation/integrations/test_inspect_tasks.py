"""Our tasks in inspect_ai: found by name, asked, and judged by the scoring core."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.evaluation.benchmarks import load
from hf_oss_instruct.evaluation.scoring.run import score
from tests.evaluation import toys
from tests.evaluation.real import DATA, PROBLEMS, real_data
from tests.support.extras import needs
from tests.support.models import saved_model
from tests.support.warm import COMMAND, EVALUATE

needs("inspect_ai")
FAILED = ("runtime_error", "compile_error", "empty_answer")

# A model that knows the solutions, for every second epoch: in a process of its own, since inspect changes the process it is in.
RUN = """
import json, sys
from collections import Counter
from inspect_ai import Epochs, eval
from inspect_ai.model import ModelOutput, ModelUsage, get_model

name, arguments, answers, options = json.loads(sys.argv[1])
if "reducers" in options:
    options["epochs"] = Epochs(options["epochs"], options.pop("reducers"))
seen = Counter()

def oracle(messages, tools, tool_choice, config):
    text = messages[-1].text
    prompt = next(prompt for prompt in answers if prompt in text)
    seen[prompt] += 1
    output = ModelOutput.from_content("mockllm/oracle", answers[prompt] if seen[prompt] % 2 else "no")
    output.usage = ModelUsage()
    return output

model = get_model("mockllm/oracle", custom_outputs=oracle)
log = eval(name, model=model, task_args=arguments, display="none", **options)[0]
scores = {f"{one.reducer or 'mean'} {one.name} {name}": m.value for one in log.results.scores for name, m in one.metrics.items()}
samples = [{"id": s.id, **{k: v.model_dump() for k, v in (s.scores or {}).items()}} for s in log.samples]
print(json.dumps({"status": log.status, "scores": scores, "samples": samples, "size": len(log.model_dump_json())}))
"""


def evaluated(tmp_path: Path, name: str, answers: dict[str, str], options: dict[str, Any] | None = None, **arguments: Any) -> Any:
    """What inspect makes of a task and these answers."""
    there = os.environ | {"INSPECT_LOG_DIR": str(tmp_path / "logs"), "HOME": str(tmp_path)}
    job = json.dumps([name, arguments, answers, options or {}])
    done = EVALUATE.run(["-c", RUN, job], env=there, cwd=tmp_path, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def known(task: str, data: Path) -> dict[str, str]:
    """Prompt → an answer with the solution."""
    script = "function add_two(a, b) { return a + b; }"
    problems = load(task, data).problems.values()
    return {one.prompt.strip(): f"<think>```\nno\n```</think>So:\n```\n{one.reference or script}\n```" for one in problems}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    toys.plus(tmp_path / "data")
    return tmp_path / "data"


def test_an_oracle_solves_base_and_plus(data: Path) -> None:
    found = evaluated(data.parent, "hf_oss_instruct/humaneval_plus", known("humaneval_plus", data), data=str(data))
    assert found["status"] == "success"
    assert {name: value for name, value in found["scores"].items() if name.endswith(" mean")} == {
        "mean base mean": 1.0,
        "mean plus mean": 1.0,
    }
    one = found["samples"][0]["base_and_plus"]
    assert one["metadata"]["status"] == "passed"
    assert "return a + b" in one["answer"]
    (log,) = (data.parent / "logs").glob("*.eval")
    found, verdicts = score("humaneval_plus", log, data=data)  # `score` reads the log, too
    assert [verdict.status for verdict in verdicts] == ["passed"] * 3
    assert found.scores["plus"]["pass@1"]["mean"] == 1.0


def test_epochs_give_pass_at_k(data: Path) -> None:
    options = {"epochs": 12, "reducers": ["mean", "pass_at_10"], "max_connections": 1, "max_samples": 1}
    answers = known("humaneval_plus", data)
    found = evaluated(data.parent, "hf_oss_instruct/humaneval_plus", answers, options, data=str(data), style="completion")
    assert found["scores"]["mean plus mean"] == pytest.approx(0.5)
    assert found["scores"]["pass_at_10 plus mean"] == pytest.approx(1.0)


def test_languages_are_told_apart_and_one_that_cannot_be_judged_counts_in_no_score(data: Path) -> None:
    toys.multipl_e(data, toys.SCRIPT)
    toys.multipl_e(data, toys.SCRIPT | {"language": "jl", "prompt": "# no julia here\nfunction add_two(a, b)\n"})
    answers = known("multipl_e:js", data) | {"# no julia here": "```\nfunction add_two(a, b) a + b end\n```"}
    found = evaluated(data.parent, "hf_oss_instruct/multipl_e", answers, data=str(data))
    by_id = {one["id"]: one["passed"] for one in found["samples"]}
    assert by_id["js/HumanEval_900_add_two"]["value"] == 1.0
    assert found["scores"]["mean passed javascript"] == found["scores"]["mean passed mean"] == 1.0
    assert by_id["jl/HumanEval_900_add_two"]["reason"] == "not_evaluated"
    assert "julia" in by_id["jl/HumanEval_900_add_two"]["explanation"]


def test_the_command_runs_a_tiny_model_and_a_wrong_style_is_told(data: Path) -> None:
    model = saved_model(data.parent / "model", "qwen", [row["prompt"] for row in toys.PLUS])
    words = [COMMAND.with_name("inspect"), "eval", "hf_oss_instruct/humaneval_plus", "--display", "plain"]
    words += ["-T", f"data={data}", "--max-tokens", "16", "--model"]
    there = os.environ | {"INSPECT_LOG_DIR": str(data.parent / "logs"), "HOME": str(data.parent), "INSPECT_LOG_FORMAT": "json"}

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return EVALUATE.run([*words, *more], env=there, cwd=data.parent)

    done = run(f"hf/{model}", "-M", f"model_path={model}", "-M", "device=cpu")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (log,) = (data.parent / "logs").glob("*.json")
    found = json.loads(log.read_text())
    assert found["status"] == "success", found.get("error")
    metrics = {one["name"]: one["metrics"]["mean"]["value"] for one in found["results"]["scores"]}
    assert (metrics, found["results"]["completed_samples"]) == ({"base": 0.0, "plus": 0.0}, 3)
    assert {one["scores"]["base_and_plus"]["metadata"]["status"] for one in found["samples"]} <= {"wrong_answer", *FAILED}
    assert all(len(one["output"]["choices"][0]["message"]["content"]) > 0 for one in found["samples"])
    done = run("mockllm/model", "-T", "style=magicoder")
    assert done.returncode != 0
    assert "Use chat or completion" in done.stdout + done.stderr


@real_data
@PROBLEMS
def test_the_reference_solutions_of_humaneval_plus_score_one(tmp_path: Path, count: int) -> None:
    answers = known("humaneval_plus", DATA)
    found = evaluated(tmp_path, "hf_oss_instruct/humaneval_plus", answers, {"limit": count}, data=str(DATA))
    assert len(found["samples"]) == count
    assert found["scores"]["mean base mean"] == found["scores"]["mean plus mean"] == 1.0
    assert found["size"] < 5_000_000  # the benchmark's inputs are not in the log
