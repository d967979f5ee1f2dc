"""What a trainer sees: rewards, None where nothing is known, metrics, and errors in the first batch only."""

from __future__ import annotations

import asyncio
import inspect
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import fields
from itertools import zip_longest
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.rewards import code_reward, make_code_reward
from hf_oss_instruct.rewards.options import PREFIX, RewardOptions
from hf_oss_instruct.sandbox import fork_servers

TESTS = """
from solution import double

def test_small():
    assert double(1) == 2

def test_large():
    assert double(50) == 100
"""
RIGHT = "Doubling.\n```python\ndef double(x):\n    return 2 * x\n```\n"
HALF = "```python\ndef double(x):\n    return 2 * x if x < 10 else 0\n```"
ECHO = {"test_cases": [{"input": "1 2\n", "output": "3\n4\n"}, {"input": "9 1\n", "output": "10\n11\n"}]}
SUMS = "```python\na, b = map(int, input().split())\nprint(a + b)\nprint(a + b + 1)\n```"


def fenced(code: str, tag: str = "python") -> str:
    return f"```{tag}\n{code}\n```\n"


def rewards(function: Any, completions: Sequence[Any], row: dict[str, Any], **more: Any) -> list[float | None]:
    columns = {name: [value] * len(completions) for name, value in row.items()}
    found: list[float | None] = asyncio.run(
        function(prompts=["p"] * len(completions), completions=completions, **columns, **more)
    )
    return found


def test_trl_finds_a_coroutine_function_under_a_dotted_path_and_importing_it_is_cheap() -> None:
    assert inspect.iscoroutinefunction(code_reward)
    assert inspect.iscoroutinefunction(make_code_reward())
    heavy = "{'trl', 'torch', 'datasets', 'aiohttp', 'tree_sitter', 'pyarrow', 'numpy'}"
    code = f"import sys, hf_oss_instruct.rewards; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_completions_are_plain_or_conversational_and_reasoning_is_no_answer() -> None:
    thought = "<think>\n" + RIGHT + "</think>\n" + HALF
    chat = [{"role": "assistant", "content": RIGHT}]
    parts = [{"role": "assistant", "content": [{"type": "text", "text": RIGHT}]}]
    bare = "def double(x):\n    return 2 * x\n"
    given = [RIGHT, chat, parts, bare, thought, "<think>\n" + RIGHT, "I do not know.", "", []]
    assert rewards(make_code_reward(), given, {"tests": TESTS, "lang": "python"}) == [1, 1, 1, 1, 0, 0, 0, 0, 0]


def test_a_completion_may_continue_the_code_of_a_plain_prompt() -> None:
    found = asyncio.run(make_code_reward()(prompts=["def double(x):\n"] * 2, completions=["    return 2 * x\n", "    return x\n"],
                                           tests=["assert double(2) == 4"] * 2))  # fmt: skip
    assert found == [1.0, 0.0]


def test_metrics_say_what_became_of_a_batch() -> None:
    logged: dict[str, float] = {}
    given = [RIGHT, HALF, fenced("def double(x):\n    raise ValueError"), fenced("def double(x):\n    while True: pass")]
    found = rewards(make_code_reward(cpu_s=0.5), given, {"tests": TESTS}, log_metric=logged.__setitem__, trainer_state=object())
    assert found == [1, 0, 0, 0]
    assert logged.pop("code_reward/programs_per_second") > 0
    assert logged == {
        "code_reward/passed": 0.25,
        "code_reward/wrong": 0.25,
        "code_reward/error": 0.25,
        "code_reward/timeout": 0.25,
        "code_reward/unscored": 0,
        "code_reward/untrusted_tests": 0,
    }


def test_variants_are_all_share_and_weighted_by_the_mutants_that_a_test_kills() -> None:
    row = {"tests": TESTS, "solution": "def double(x):\n    return 2 * x\n"}
    assert rewards(make_code_reward(), [HALF], row) == [0.0]
    assert rewards(make_code_reward(variant="share"), [HALF], row) == [0.5]
    assert rewards(make_code_reward(variant="weighted"), [HALF, RIGHT], row | {"test_weights": [3, 1]}) == [0.75, 1.0]
    # The first test passes on the mutant `2 + x` of a solution that is asked for 2, the second kills every mutant.
    weak = {"tests": ["assert double(2) == 4", "assert double(50) == 100"], "solution": "def double(x):\n    return 2 * x\n"}
    (weighted,) = rewards(make_code_reward(variant="weighted"), [HALF], weak)
    assert weighted is not None
    assert 0 < weighted < 0.5
    with pytest.raises(UsageError, match="'solution'"):
        rewards(make_code_reward(variant="weighted"), [HALF], {"tests": TESTS})
    with pytest.raises(UsageError, match="1 weights, but the row has 2 tests"):
        rewards(make_code_reward(variant="weighted"), [HALF], row | {"test_weights": [3]})


def test_output_is_compared_in_full() -> None:
    answers = {
        SUMS: 1,
        fenced("a, b = map(int, input().split())\nprint(a + b)"): 0,  # a prefix
        fenced("print(3)\nprint(4)"): 0,  # right for one input
        fenced("a, b = map(int, input().split())\nprint(a + b)\nprint(a + b + 1)\nprint(0)"): 0,
        fenced("a, b = map(int, input().split())\nprint(a + b, '')\nprint(a + b + 1)\nprint()"): 1,
        fenced("import sys\nsys.exit(0)"): 0,
        fenced("import numpy\na, b = map(int, input().split())\nprint(numpy.add(a, b))\nprint(a + b + 1)"): 1,
    }
    assert rewards(make_code_reward(), list(answers), ECHO) == list(answers.values())


def test_a_function_is_called_with_values_and_may_be_a_method_of_solution() -> None:
    row = {"input_output": {"inputs": [[[1, 2]], [[]]], "outputs": [[[1, 2]], [[]]], "fn_name": "ordered"}}
    given = [
        fenced("def ordered(xs):\n    return tuple(sorted(xs))"),
        fenced("class Solution:\n    def ordered(self, xs):\n        return sorted(xs)"),
        fenced("def ordered(xs):\n    return sorted(xs)[:1]"),
    ]
    assert rewards(make_code_reward(), given, row) == [1, 1, 0]


CPP = "#include <cassert>\nint main() {\n    assert(twice(2) == 4);\n    assert(twice(4) == 8);\n}\n"
C = "#include <assert.h>\nint main(void) {\n    assert(twice(2) == 4);\n    return 0;\n}\n"
JS = "const { twice } = require('./solution');\ntest('it', () => { expect(twice(2)).toBe(4); });\n"
CPP_PROGRAM = "#include <iostream>\nint main() {\n    int n;\n    std::cin >> n;\n    std::cout << 2 * n << std::endl;\n}\n"


JS_PROGRAM = "function twice(x) { return 2 * x }\nmodule.exports = { twice }"
PAIR = {"test_cases": [{"input": "4", "output": "8"}]}


@pytest.mark.parametrize(
    ("row", "tag", "right"),
    [
        pytest.param({"tests": CPP, "lang": "cpp"}, "cpp", "int twice(int x) { return 2 * x; }", marks=pytest.mark.long),
        ({"tests": JS, "lang": "javascript"}, "js", JS_PROGRAM),
        (PAIR | {"lang": "C++"}, "cpp", CPP_PROGRAM),
        ({"tests": C, "lang": "c"}, "c", "int twice(int x) { return 2 * x; }"),
        (PAIR | {"language": "bash"}, "bash", "read n\necho $((2 * n))"),
    ],
)
def test_other_languages_are_run_too(row: dict[str, Any], tag: str, right: str) -> None:
    given = [fenced(right, tag), fenced(right.replace("2 *", "3 *"), tag)]
    assert rewards(make_code_reward(), given, row) == [1.0, 0.0]


BESIDE = "def test_copy():\n    given = [1]\n    assert doubled(given) is not given\n    assert given == [1]\n"
DOUBLED = fenced("def doubled(xs):\n    return [2 * x for x in xs]")


def test_a_test_that_runs_beside_the_program_weighs_what_the_user_says() -> None:
    row = {"tests": ["assert doubled([1]) == [2]", BESIDE]}
    logged: dict[str, float] = {}
    bad = fenced("def doubled(xs):\n    xs[:] = [2 * x for x in xs]\n    return xs")
    assert rewards(make_code_reward(variant="share"), [DOUBLED, bad], row, log_metric=logged.__setitem__) == [1.0, 0.5]
    assert logged["code_reward/untrusted_tests"] == 0.5
    assert rewards(make_code_reward(untrusted_tests=0), [DOUBLED, bad], row) == [1.0, 1.0]
    assert rewards(make_code_reward(variant="share", untrusted_tests=0.5), [bad], row) == [pytest.approx(2 / 3)]
    with pytest.raises(UsageError, match="untrusted_tests is 0"):
        rewards(make_code_reward(untrusted_tests=0), [DOUBLED], {"tests": BESIDE})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({}, "no tests"),
        ({"tests": "   "}, "no tests"),
        ({"tests": "assert double(1) == 2", "lang": "klingon"}, "klingon"),
        ({"tests": "main = print 1", "lang": "haskell"}, "'haskell' cannot be run"),
        ({"tests": "def broken("}, "not valid Python"),
        ({"tests": "import requests\ndef test_it():\n    assert requests.get('x')"}, "'requests', which is not installed"),
        ({"tests": "x = 1"}, "no test asserts anything"),
    ],
)
def test_rows_that_cannot_be_used_are_an_error_at_the_start(row: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        rewards(make_code_reward(), [RIGHT], row)


@pytest.mark.parametrize("completion", [7, None, [7], [{"role": "user", "content": "x"}], [{"content": 3}], {"text": "x"}])
def test_completions_of_another_shape_are_an_error_at_the_start(completion: Any) -> None:
    with pytest.raises(UsageError, match="must be a string"):
        rewards(make_code_reward(), [completion], {"tests": TESTS})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"completions": {"role": "assistant", "content": RIGHT}}, "'completions' is .*, of type dict"),
        ({"completions": RIGHT}, "'completions' is .*, of type str"),
        ({"completions": (one for one in [RIGHT])}, "'completions' is .*, of type generator"),
        ({"prompts": "Double it"}, "'prompts' is .*, of type str"),
        ({"prompts": ["a", "b"]}, "'prompts' has 2 values for 1 completion"),
        ({"tests": TESTS}, "'tests' is .*, of type str"),
        ({"lang": "cpp"}, "'lang' is 'cpp', of type str, and not a list"),
        ({"completions": [[{"role": "assistant", "content": [{"type": "image"}]}]]}, "list of text parts"),
    ],
)
def test_a_single_value_in_place_of_a_list_is_an_error_and_not_a_reward(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        asyncio.run(make_code_reward()(**({"prompts": [""], "completions": [RIGHT], "tests": [TESTS]} | given)))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("wall_s", "x"),
        ("cpu_s", None),
        ("memory_mib", 1),
        ("workers", "2"),
        ("workers", 1.5),
        ("call_wall_s", [1]),
        ("call_wall_s", float("nan")),
        ("untrusted_tests", "half"),
        ("memoize", "no"),
        ("url", 8080),
        ("tier", "nope"),
    ],
)
def test_an_option_of_the_wrong_kind_is_named_at_the_start(option: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"{option}.*{re.escape(repr(value))}"):
        make_code_reward(**{option: value})


def test_options_and_single_fields_are_not_mixed() -> None:
    with pytest.raises(UsageError, match=r"Both options and variant, nonsense are given"):
        make_code_reward(RewardOptions(), variant="share", nonsense=3)
    with pytest.raises(UsageError, match=r"options must be RewardOptions\(NAME=VALUE\), not 'share'"):
        make_code_reward(cast(Any, "share"))


def test_the_table_in_the_docs_has_every_option_with_its_default() -> None:
    text = (Path(__file__).parents[2] / "docs" / "rewards.md").read_text("utf-8")
    lines = text.partition("| option | default | |\n|---|---|---|\n")[2].partition("\n\n")[0].splitlines()
    shown: dict[str, str] = {}
    for line in lines:
        names, defaults = (cell.replace("`", "").split(",") for cell in line.strip("| ").split(" |")[:2])
        shown |= {name.strip(): default.strip() for name, default in zip_longest(names, defaults, fillvalue="")}
    assert list(shown) == [field.name for field in fields(RewardOptions)]
    assert RewardOptions.from_environment({f"{PREFIX}{name.upper()}": text for name, text in shown.items()}) == RewardOptions()


def test_arrays_are_lists_too() -> None:
    columns = {"tests": np.array([TESTS], object), "lang": pa.chunked_array([["python"]])}
    assert asyncio.run(make_code_reward()(completions=np.array([RIGHT], object), **columns)) == [1.0]


def test_a_bad_row_later_on_is_left_out_and_does_not_end_the_training(caplog: pytest.LogCaptureFixture) -> None:
    function = make_code_reward()
    assert rewards(function, [RIGHT], {"tests": TESTS}) == [1.0]
    found = asyncio.run(function(prompts=["", ""], completions=[RIGHT, RIGHT], tests=[TESTS, "x = 1"]))
    assert found == [1.0, None]
    assert "no test asserts anything" in caplog.text


def test_a_row_without_tests_is_told_which_columns_the_dataset_has() -> None:
    given = {"prompts": [""], "completions": [RIGHT], "completion_ids": [[1]], "lang": ["python"]}
    with pytest.raises(UsageError, match=r"Row 0 of the first batch: The row has no tests\..* it has: 'lang'\.$"):
        asyncio.run(make_code_reward()(**given))


def test_lists_of_other_lengths_are_refused() -> None:
    with pytest.raises(UsageError, match="'tests' has 1 value for 2 completions"):
        asyncio.run(make_code_reward()(prompts=["", ""], completions=[RIGHT, RIGHT], tests=[TESTS]))


def test_a_call_ends_at_its_wall_limit_whatever_programs_do() -> None:
    sleeping = [fenced(f"import time\ndef double(x):\n    time.sleep(600 + {n})") for n in range(64)]
    function = make_code_reward(call_wall_s=1.0, wall_s=2.0)
    began = time.monotonic()
    found = rewards(function, sleeping, {"tests": TESTS})
    assert set(found) <= {None, 0.0}
    assert None in found
    assert time.monotonic() - began < 60  # 64 programs of ten minutes; seconds where nothing else runs


def test_a_killed_fork_server_costs_a_retry_and_no_reward() -> None:
    function = make_code_reward(memoize=False)
    assert rewards(function, [RIGHT], {"tests": TESTS}) == [1.0]
    for server in list(fork_servers._kept.values()):
        server._process.kill()
    assert rewards(function, [RIGHT] * 8, {"tests": TESTS}) == [1.0] * 8


def test_options_come_from_variables_and_unknown_ones_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_OSS_INSTRUCT_REWARD_VARIANT", "share")
    monkeypatch.setenv("HF_OSS_INSTRUCT_REWARD_MEMOIZE", "0")
    monkeypatch.setenv("HF_OSS_INSTRUCT_REWARD_TOKEN", "secret-token")
    options = RewardOptions.from_environment(cpu_s=2)
    assert (options.variant, options.memoize, options.cpu_s) == ("share", False, 2)
    assert "secret-token" not in repr(options)
    for name, value, said in (
        ("CPU", "1", "CPU is unknown"),
        ("WORKERS", "two", "a whole number"),
        ("VARIANT", "best", "'best'"),
    ):
        with pytest.raises(UsageError, match=said):
            RewardOptions.from_environment({f"HF_OSS_INSTRUCT_REWARD_{name}": value})
    with pytest.raises(UsageError, match="colour"):
        make_code_reward(colour="red")
