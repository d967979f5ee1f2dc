"""Verdicts: what is right passes, what pretends to be does not, and nothing that is not the sample's fault counts against it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.benchmarks import load
from hf_oss_instruct.evaluation.problems import Benchmark
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring.reference import References, limits_for
from hf_oss_instruct.evaluation.scoring.scoring import score
from hf_oss_instruct.evaluation.scoring.verdicts import Verdict, results_by_problem
from tests.evaluation import toys
from tests.evaluation.real import DATA, humaneval_x, real_data
from tests.evaluation.thinning import thinned

ADD, ROOT, EVENS = "HumanEval/900", "HumanEval/901", "HumanEval/902"
RIGHT = "def add(a, b):\n    return a + b\n"
LYING = "class Same(int):\n    def __eq__(self, other):\n        return True\n    def __hash__(self):\n        return 0\n"
TRAPS = {
    "wrong": ("def add(a, b):\n    return a - b\n", "wrong_answer"),
    "leaves early": ("import sys\ndef add(a, b):\n    sys.exit(0)\n", "runtime_error"),
    "leaves at once": ("import os\nos._exit(0)\n", "runtime_error"),
    "leaves in the call": ("import os\ndef add(a, b):\n    os._exit(0)\n", "runtime_error"),
    "is never defined": ("print('all tests passed')\n", "runtime_error"),
    "says that it passed": ("print('passed', 'ok', 'True')\ndef add(a, b):\n    print('passed')\n", "wrong_answer"),
    "is equal to everything": (LYING + "def add(a, b):\n    return Same(7)\n", "wrong_answer"),
    "redefines comparison": ("import builtins\nbuiltins.all = lambda x: True\ndef add(a, b):\n    return 7\n", "wrong_answer"),
    "raises": ("def add(a, b):\n    raise ValueError('no idea')\n", "runtime_error"),
    "does not parse": ("def add(a, b)\n    return a + b\n", "compile_error"),
    "is a coroutine": ("async def add(a, b):\n    return a + b\n", "wrong_answer"),
    "loops": ("def add(a, b):\n    while True: pass\n", "timeout"),
    "ignores signals": (
        "import signal\nfor n in (2, 14, 15, 24):\n    signal.signal(n, signal.SIG_IGN)\ndef add(a, b):\n    while True: pass\n",
        "timeout",
    ),
    "is nothing": ("   \n", "empty_answer"),
}
NOISY = {
    "prints ten megabytes": "print('x' * 10_000_000)\n" + RIGHT,
    "leaves children": "import subprocess\nsubprocess.Popen(['sleep', '1000'])\n" + RIGHT,
}
SCRIPT_TRAPS = {
    "leaves early": "  process.exit(0);\n}\n",
    "leaves before the tests": "  return 0;\n}\nprocess.exit(0);\n",
    "patches assert": "  return 0;\n}\nrequire('node:assert').deepEqual = () => {};\n",
    "takes over require": "  return 0;\n}\nvar require = () => ({deepEqual() {}});\n",
    "takes over the loader": "  return 0;\n}\nmodule.constructor._load = () => ({deepEqual() {}});\n",
    "is equal to everything": "  return {valueOf() { return 3; }, toString() { return '3'; }};\n}\n",
    "is a promise": "  return Promise.resolve(3);\n}\n",
    "fails where nobody waits": "  Promise.reject(new Error('x')); return 0;\n}\nprocess.on('unhandledRejection', () => {});\n",
    "catches what the tests throw": "  return 0;\n}\nprocess.on('uncaughtException', () => { process.exit(0); });\n",
    "prints its own text": "  return 0;\n}\nconsole.log(require('fs').readFileSync(__filename, 'utf8')); process.exit(0);\n",
}
CPLUSPLUS_TRAPS = {
    "leaves early": "    exit(0);\n",
    "leaves before main": "    return 0;\n}\nstruct X { X() { exit(0); } } x;\nvoid f() {\n",
    "redefines assert": "    return 0;\n}\n#undef assert\n#define assert(x) ((void)0)\nvoid f() {\n",
    "turns assertions off": "    return 0;\n}\n#define NDEBUG\n#include <assert.h>\nvoid f() {\n",
    "redefines what assert calls": "    return 0;\n}\n#define __assert_fail(...) ((void)0)\nvoid f() {\n",
    "redefines the function": (
        "    return 0;\n}\nstruct Same { template <class T> bool operator==(const T&) const { return true; } };\n"
        "#define add_two (*[](long a, long b) -> Same { return Same(); })\nvoid f() {\n"
    ),
    "has a main of its own": "    return 0;\n}\nint main() { return 0; }\n#define main other\nvoid f() {\n",
}
JAVA_TRAPS = {
    "is wrong where only an assertion sees it": "        return Pair.with(a + b, b);\n",
    "leaves early": "        System.exit(0);\n        return null;\n",
    "leaves before the tests": "        return null;\n    }\n    static {\n        System.exit(0);\n",
    "turns assertions off": (
        "        return null;\n    }\n    static {\n        Problem.class.getClassLoader().setDefaultAssertionStatus(false);\n"
        '        Problem.class.getClassLoader().setClassAssertionStatus("Problem", false);\n'
    ),
    "has an error of its own": "        return null;\n    }\n    static class AssertionError extends Error {\n",
}
SHELL_TRAPS = {
    "leaves early": "    exit 0\n",
    "leaves before the tests": "    echo 0\n}\nexit 0\nf() {\n",
    "traps the end": "    echo 0\n}\ntrap 'exit 0' ERR EXIT\nf() {\n",
    "renames the test": "    echo 0\n}\nshopt -s expand_aliases; alias '[['='true ['; alias set=true\nf() {\n",
    "prints its own text": '    echo 0\n}\ncat "$0"\nexit 0\nf() {\n',
}


@pytest.fixture
def benchmark(tmp_path: Path) -> Benchmark:
    return toys.plus(tmp_path / "data")


def programs(task_id: str, texts: dict[str, str], kind: str = "solution") -> list[Sample]:
    return [Sample(task_id, number, text, kind) for number, text in enumerate(texts.values())]


def gist(verdicts: list[Verdict]) -> list[dict[str, Any]]:
    """Verdicts without what a clock says."""
    return [json.loads(json.dumps({**vars_of(verdict), "wall_s": 0, "cpu_s": 0, "stderr": ""})) for verdict in verdicts]


def vars_of(verdict: Verdict) -> dict[str, Any]:
    return {name: getattr(verdict, name) for name in Verdict.__dataclass_fields__}


def test_the_reference_solutions_pass_and_keep_each_input(benchmark: Benchmark) -> None:
    verdicts = score(benchmark, [Sample(line["task_id"], 0, line["completion"], "completion") for line in toys.canonical()])
    assert [(one.status, one.base, one.plus, one.per_input) for one in verdicts] == [
        ("passed", True, True, "11111"),
        ("passed", True, True, "111"),
        ("passed", True, True, "111"),
    ]


def test_a_right_answer_of_another_type_or_within_tolerance_passes(benchmark: Benchmark) -> None:
    others = {
        ROOT: "def root(x):\n    return x ** 0.5 + 1e-9\n",
        EVENS: "def evens(n):\n    return [x / 1.0 for x in range(0, n, 2)]\n",
    }
    verdicts = score(benchmark, [Sample(task_id, 0, text, "solution") for task_id, text in others.items()])
    assert [one.status for one in verdicts] == ["passed", "passed"]
    nearly = "def evens(n):\n    return list(range(0, n, 2))[:-1] + [7] if n > 99 else list(range(0, n, 2))\n"
    (verdict,) = score(benchmark, [Sample(EVENS, 0, nearly, "solution")])
    assert (verdict.base, verdict.plus, verdict.per_input) == (True, False, "110")


class Limited(References):
    """Reference solutions whose limits are these, which end a loop sooner."""

    def __init__(self, folder: Path, **limits: float) -> None:
        super().__init__(folder)
        self._limits = limits

    def of(self, problem: Any) -> Any:
        found = super().of(problem)
        return replace(found, limits=replace(found.limits, **self._limits))


def test_no_trap_passes_and_each_is_called_what_it_is(benchmark: Benchmark, tmp_path: Path) -> None:
    samples = programs(ADD, {name: text for name, (text, _) in TRAPS.items()})
    verdicts = score(benchmark, samples, references=Limited(tmp_path / "cache", cpu_s=1.0))
    found = {name: verdict.status for name, verdict in zip(TRAPS, verdicts, strict=True)}
    assert found == {name: status for name, (_, status) in TRAPS.items()}
    assert not any(one.plus for one in verdicts)


def test_noise_and_leftovers_do_not_fail_a_right_program(benchmark: Benchmark) -> None:
    assert [one.status for one in score(benchmark, programs(ADD, NOISY))] == ["passed", "passed"]


CPLUSPLUS = (toys.CPLUSPLUS, CPLUSPLUS_TRAPS, "    return a + b;\n")
JAVA = (toys.JAVA, JAVA_TRAPS, "        return Pair.with(a + b, a);\n")


@pytest.mark.parametrize(
    ("row", "traps", "right"),
    [
        pytest.param(toys.SCRIPT, SCRIPT_TRAPS, "  return a + b;\n}\n", id="javascript"),
        pytest.param(toys.SHELL, SHELL_TRAPS, "    echo $(($1 + $2))\n", id="shell"),
        pytest.param(CPLUSPLUS[0], thinned(CPLUSPLUS[1]), CPLUSPLUS[2], id="cpp"),
        pytest.param(JAVA[0], thinned(JAVA[1]), JAVA[2], id="java"),
        pytest.param(*CPLUSPLUS, id="all-cpp", marks=pytest.mark.long),
        pytest.param(*JAVA, id="all-java", marks=pytest.mark.long),
    ],
)
def test_no_trap_of_another_language_passes(row: dict[str, Any], traps: dict[str, str], right: str, tmp_path: Path) -> None:
    benchmark = toys.multipl_e(tmp_path, row)
    task_id = row["name"]
    # As whole programs: a completion's stop token would cut most of them.
    texts = {name: row["prompt"] + text + "\n" + row["tests"] for name, text in traps.items()}
    whole = row["prompt"] + right + "\n" + row["tests"]
    verdicts = score(benchmark, [*programs(task_id, texts, "program"), Sample(task_id, 99, whole, "program")])
    if verdicts[-1].status == "not_evaluated":
        pytest.skip(verdicts[-1].reason)
    assert verdicts[-1].status == "passed", verdicts[-1].stderr
    assert {name: one.passed for name, one in zip(traps, verdicts, strict=False)} == dict.fromkeys(traps, False)


def test_tests_in_cpp_may_use_operators_that_are_words(tmp_path: Path) -> None:
    tests = toys.CPLUSPLUS["tests"].replace(
        "assert(candidate((5)", "// and, or\n    assert(not defined_elsewhere and candidate((5)"
    )
    row = toys.CPLUSPLUS | {"tests": tests.replace("auto candidate", "bool defined_elsewhere = false;\n    auto candidate")}
    (verdict,) = score(toys.multipl_e(tmp_path, row), [Sample(row["name"], 0, "    return a + b;\n", "completion")])
    if verdict.status == "not_evaluated":
        pytest.skip(verdict.reason)
    assert verdict.status == "passed", verdict.stderr


def test_a_chat_answer_in_javascript_is_scored(tmp_path: Path) -> None:
    benchmark = toys.multipl_e(tmp_path, toys.SCRIPT)
    answer = "Here:\n```js\nconst add_two = (a, b) => a + b;\nconsole.log(add_two(1, 2));\n```\n"
    (verdict,) = score(benchmark, [Sample("HumanEval_900_add_two", 0, answer, "answer")])
    if verdict.status == "not_evaluated":
        pytest.skip(verdict.reason)
    assert verdict.status == "passed", verdict.stderr
    assert verdict.answer == answer


def test_failures_of_whole_programs_are_told_apart(tmp_path: Path) -> None:
    benchmark = toys.multipl_e(tmp_path, toys.SCRIPT)
    texts = {"wrong_answer": "  return a - b;\n}\n", "runtime_error": "  return c;\n}\n", "compile_error": "  return a +;\n}\n"}
    verdicts = score(benchmark, programs("HumanEval_900_add_two", texts, "completion"))
    if verdicts[0].status == "not_evaluated":
        pytest.skip(verdicts[0].reason)
    assert [one.status for one in verdicts] == list(texts)
    assert "c is not defined" in verdicts[1].reason


def test_a_language_without_toolchain_is_not_evaluated_and_counts_nowhere(tmp_path: Path) -> None:
    row = toys.SCRIPT | {"language": "swift"}
    benchmark = toys.multipl_e(tmp_path, row)
    (verdict,) = score(benchmark, [Sample(row["name"], 0, "anything", "completion")])
    assert (verdict.status, verdict.base, verdict.plus) == ("not_evaluated", None, None)
    assert "swift" in verdict.reason
    assert results_by_problem([verdict], "passed") == {}


def test_verdicts_are_the_same_with_one_worker_or_two_and_beside_busy_loops(benchmark: Benchmark) -> None:
    samples = programs(ADD, {name: text for name, (text, _) in TRAPS.items() if name not in ("loops", "ignores signals")})
    samples += [Sample(line["task_id"], 50, line["completion"], "completion") for line in toys.canonical()]
    first = gist(score(benchmark, samples, workers=1))
    busy = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(4)]
    try:
        assert gist(score(benchmark, samples, workers=2)) == first
    finally:
        for process in busy:
            process.kill()
            process.wait()


def test_what_waits_is_ended_by_the_wall_limit_tried_once_more_alone_and_marked(benchmark: Benchmark, tmp_path: Path) -> None:
    sleeper = "import time\ndef add(a, b):\n    time.sleep(60)\n"
    seen: list[Verdict] = []
    verdicts = score(
        benchmark,
        [Sample(ADD, 0, sleeper, "solution"), Sample(ADD, 1, RIGHT, "solution")],
        references=Limited(tmp_path / "cache", wall_s=1.0),
        on_verdict=seen.append,
    )
    assert [(one.status, one.retried) for one in verdicts] == [("timeout", True), ("passed", False)]
    assert len(seen) == 2


def test_a_known_verdict_is_not_made_again_unless_it_said_nothing(benchmark: Benchmark) -> None:
    sample = Sample(ADD, 0, RIGHT, "solution")
    (verdict,) = score(benchmark, [sample])
    lie = replace(verdict, status="wrong_answer", base=False, plus=False)
    (again,) = score(benchmark, [replace(sample, number=5)], known={verdict.key: lie})
    assert (again.status, again.sample) == ("wrong_answer", 5)
    broken = replace(verdict, status="sandbox_error", base=None, plus=None)
    assert score(benchmark, [sample], known={verdict.key: broken})[0].status == "passed"
    (other,) = score(benchmark, [replace(sample, text=RIGHT + "\n")])
    assert other.key != verdict.key


def test_the_reference_runs_once_and_its_answers_are_kept_by_content(benchmark: Benchmark, tmp_path: Path) -> None:
    problem = benchmark.problems[ADD]
    references = References(tmp_path / "cache")
    first = references.of(problem)
    assert first.expected == [3, 0, 0, 5.0, 10**30 + 1]
    (file,) = (tmp_path / "cache").iterdir()
    assert References(tmp_path / "cache").of(problem) == first
    file.write_bytes(file.read_bytes()[:-9])  # torn by a kill
    assert References(tmp_path / "cache").of(problem).expected == first.expected
    other = replace(problem, fingerprint="another version of the row")
    assert References(tmp_path / "cache").of(other).expected == first.expected
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_reference_that_fails_its_own_inputs_is_an_error_of_the_data(tmp_path: Path) -> None:
    rows = [toys.PLUS[0] | {"canonical_solution": "    raise KeyError(a)\n"}]
    with pytest.raises(EvaluationError, match="reference solution of HumanEval/900 cannot be used"):
        score(toys.plus(tmp_path, rows), [Sample(ADD, 0, RIGHT, "solution")])


def test_limits_come_in_steps_so_that_a_second_measurement_changes_nothing() -> None:
    assert limits_for(0.0).cpu_s == limits_for(0.9).cpu_s == 4.0
    assert limits_for(1.1).cpu_s == limits_for(1.9).cpu_s == 8.0
    assert limits_for(28.6).cpu_s == 128.0


HEAVY = {f"HumanEval/{number}" for number in (139, 15, 59, 130, 36, 83, 94)}
"""The seven problems that are 95 % of HumanEval+'s processor time; `benchmarks/evaluation.py` runs these too."""


@real_data
@pytest.mark.parametrize(
    ("task", "every"),
    [
        ("humaneval", 10),
        ("humaneval_plus", 12),
        ("mbpp_plus", 28),
        pytest.param("humaneval", 1, marks=pytest.mark.long),
        pytest.param("humaneval_plus", 1, marks=pytest.mark.long),
    ],
)
def test_canonical_solutions_of_the_real_sets_pass(task: str, every: int) -> None:
    benchmark = load(task, DATA)
    chosen = [
        problem for problem in list(benchmark.problems.values())[::every] if problem.task_id not in HEAVY or task == "humaneval"
    ]
    verdicts = score(benchmark, [Sample(problem.task_id, 0, problem.reference or "", "solution") for problem in chosen])
    assert [(one.task_id, one.status, one.reason) for one in verdicts if not one.passed] == []


@real_data
@pytest.mark.parametrize(("key", "every"), [("python", 8), ("js", 8), ("cpp", 40), ("java", 80)])
def test_canonical_solutions_in_other_languages_pass(key: str, every: int) -> None:
    benchmark = humaneval_x(key)
    chosen = list(benchmark.problems.values())[::every]
    verdicts = score(benchmark, [Sample(problem.task_id, 0, problem.reference or "", "solution") for problem in chosen])
    if verdicts[0].status == "not_evaluated":
        pytest.skip(verdicts[0].reason)
    assert [(one.task_id, one.status, one.stderr) for one in verdicts if not one.passed] == []
