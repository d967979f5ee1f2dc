"""What is right is decided outside: plain values come back exactly, and no trick makes a wrong program pass."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.sandbox.backends import available_tiers
from hf_oss_instruct.sandbox.inside import values
from hf_oss_instruct.sandbox.judging.comparison import same
from hf_oss_instruct.sandbox.judging.judge import judge
from hf_oss_instruct.sandbox.judging.judgement import STATUSES
from hf_oss_instruct.sandbox.judging.whole_programs import judge_program
from hf_oss_instruct.sandbox.limits import Limits

QUICK = Limits(cpu_s=1, wall_s=4)
needs_sandbox = pytest.mark.skipif(not available_tiers(), reason="this machine has no sandbox: hf-oss-instruct env says why")

# NaN is never equal to itself inside a set, a key or a complex number; as a value of its own it is.
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(8_000, 20_000).map(lambda bits: 1 << bits)  # more digits than Python writes out
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(st.characters())
    | st.binary()
)
hashable = st.recursive(scalars, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=5)
plain = st.recursive(
    hashable | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.sets(hashable, max_size=3)
        | st.dictionaries(hashable, inner, max_size=3)
    ),
    max_leaves=20,
)


@given(plain)
def test_every_plain_value_comes_back_as_it_was_and_of_its_type(value: Any) -> None:
    back = values.loads(values.dumps(value))
    assert type(back) is type(value)
    assert same(back, value)


@given(st.text() | st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=9).map(str))
def test_any_text_is_a_plain_value_or_refused(text: Any) -> None:
    try:
        values.loads(text)
    except values.NotPlainValueError:
        pass


@pytest.mark.parametrize(
    "text",
    [
        '{"t": 3}',
        '{"t": "ab"}',
        '{"i": "99999999999999999999zz"}',
        '{"s": [[]]}',
        "[" * 100_000,
        '{"d": [1, 2]}',
        '{"c": ["1", 2]}',
        '{"q": 1}',
        '{"t": [], "s": []}',
        "{}",
        "1" * 5000,
    ],
)
def test_hostile_text_is_refused_and_breaks_nothing(text: str) -> None:
    with pytest.raises(values.NotPlainValueError):
        values.loads(text)


def test_depth_and_number_of_values_are_bounded() -> None:
    deep: list[Any] = []
    for _ in range(values.MAX_DEPTH + 1):
        deep = [deep]
    with pytest.raises(values.NotPlainValueError, match="levels deep"):
        values.dumps(deep)
    with pytest.raises(values.NotPlainValueError, match="more than"):
        values.dumps([0] * (values.MAX_VALUES + 1))
    with pytest.raises(values.NotPlainValueError, match="levels deep"):
        values.loads("[" * (values.MAX_DEPTH + 1) + "0" + "]" * (values.MAX_DEPTH + 1))
    with pytest.raises(values.NotPlainValueError, match="more than"):
        values.loads(f"[{'0,' * values.MAX_VALUES}0]")
    with pytest.raises(values.NotPlainValueError, match="object"):
        values.dumps(object())


@given(plain)
def test_everything_is_the_same_as_itself(value: Any) -> None:
    assert same(value, values.loads(values.dumps(value)))


numbers = st.integers(-(1 << 60), 1 << 60) | st.floats() | st.booleans()


@settings(max_examples=8)
@given(st.lists(numbers | st.lists(numbers, max_size=3) | st.text(), min_size=1), st.randoms())
def test_large_values_have_the_same_hash_if_and_only_if_they_are_equal(items: list[Any], random: Any) -> None:
    times = 1 + values.MIN_HASHED_ITEMS // len(items)
    large = items * times
    twin = [float(item) if type(item) is int and abs(item) < values.MAX_EXACT_INT else item for item in items] * times
    assert values.summary(large) == values.summary(twin)
    changed = list(large)
    place = random.randrange(len(large))
    changed[place] = "another" if type(large[place]) is not str else 1
    assert values.summary(changed) != values.summary(large)
    assert values.summary(tuple(large)) != values.summary(large)


@pytest.mark.parametrize("other", [[-1] * 70_000, [2.5] * 70_000, [1 << 53] * 70_000, ["-2"] * 70_000])
def test_unlike_lists_have_unlike_hashes(other: list[Any]) -> None:
    assert values.summary(other) != values.summary([-2] * 70_000)


@pytest.mark.parametrize(
    ("answer", "expected", "tolerance", "right"),
    [
        (1, 1.0, 0, True),
        (True, 1, 0, True),
        ([1], (1,), 0, False),
        ("1", 1, 0, False),
        (0.1 + 0.2, 0.3, 0, False),
        (0.1 + 0.2, 0.3, 1e-6, True),
        ([(1.0000001, "a")], [(1.0, "a")], 1e-6, True),
        ({"a": 1.0000001}, {"a": 1.0}, 1e-6, True),
        (1.1, 1.0, 1e-6, False),
        (math.nan, math.nan, 0, True),
        (math.inf, 1.0, 1e-6, False),
        (10**400, 1.0, 1e-6, False),
        ({1, 2}, {2, 1}, 0, True),
        ({1: 2}, [1], 0, False),
        (None, 1.0, 1e-6, False),
    ],
)
def test_equal_is_what_python_says_with_the_tolerance_of_the_benchmark(
    answer: Any, expected: Any, tolerance: float, right: bool
) -> None:
    assert same(answer, expected, tolerance) is right


@needs_sandbox
@pytest.mark.parametrize("tier", [tier.name for tier in available_tiers()])
def test_a_right_function_passes_with_any_plain_value(tier: str) -> None:
    inputs = [[(1, 2), {"a": {3}}], [1.5, b"x"], [float("inf"), None]]
    expected = [((1, 2), {"a": {3}}), (1.5, b"x"), (float("inf"), None)]
    found = judge("print('noise')\ndef f(a, b):\n    print(a)\n    return (a, b)", "f", inputs, expected, tier=tier)
    assert (found.status, found.per_input) == ("passed", [True] * 3)


@needs_sandbox
@settings(max_examples=20)
@given(st.lists(plain, min_size=1, max_size=20))
def test_values_survive_the_way_through_the_sandbox(items: list[Any]) -> None:
    assert judge("def f(x): return x", "f", [[item] for item in items], items).status == "passed"


@needs_sandbox
@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("def f(x): return x", "wrong_answer"),
        ("def f(x): return [x + 1]", "wrong_answer"),
        ("class Same:\n    __eq__ = lambda self, other: True\ndef f(x): return Same()", "wrong_answer"),
        ("class Int(int):\n    __eq__ = lambda self, other: True\ndef f(x): return Int(0)", "wrong_answer"),
        ("class Liar(dict):\n    items = lambda self: [(1, 1)]\ndef f(x): return Liar()", "wrong_answer"),
        ("def f(x): raise ValueError(x)", "runtime_error"),
        ("import os; os._exit(0)", "runtime_error"),
        ("import sys; sys.exit(0)", "runtime_error"),
        ("def f(x): import os; os._exit(0)", "runtime_error"),
        ("def f(x): import sys; sys.exit(0)", "runtime_error"),
        ("import os; os.execv('/bin/true', ['true'])", "runtime_error"),
        ("print('returned 3')\nimport os; os.write(1, b'x returned 3')\ndef g(x): pass", "runtime_error"),
        ("def f(x):\n    while True: pass", "timeout"),
        ("def f(x): return [x] * 10**9", "runtime_error"),
        ("def f(:", "compile_error"),
        ("  \n", "empty_answer"),
        # It finds the nonces, and still has to know what is right.
        ("import sys, os\nabove = sys._getframe(1).f_locals\n"
         "forged = b''.join(n.split()[0].encode() + b' returned 0\\n' for n in above['questions'])\n"
         "above['channel'][:len(forged)] = forged\nos._exit(0)",
         "wrong_answer"),
    ],
)  # fmt: skip
def test_a_wrong_program_does_not_pass_and_is_told_why(program: str, status: str) -> None:
    found = judge(program, "f", [[1], [2]], [2, 3], limits=QUICK)
    assert found.status == status
    assert found.status in STATUSES
    assert found.per_input == [False, False]


@needs_sandbox
def test_each_input_is_told_apart_and_the_first_wrong_one_names_the_status() -> None:
    found = judge("def f(x): return 1 // x", "f", [[1], [0], [2]], [1, 0, 5])
    assert (found.status, found.per_input) == ("runtime_error", [True, False, False])
    assert "ZeroDivisionError" in found.detail
    late = judge("def f(x):\n    while x > 1: pass\n    return x", "f", [[0], [1], [2]], [0, 1, 2], limits=QUICK)
    assert (late.status, late.per_input) == ("timeout", [True, True, False])


@needs_sandbox
def test_many_inputs_travel_in_batches() -> None:
    program = "calls = []\ndef f(x):\n    calls.append(x)\n    return len(calls) <= 1024 and x"
    found = judge(program, "f", [[n] for n in range(1500)], list(range(1500)))
    assert (found.status, sum(found.per_input)) == ("passed", 1500)


@needs_sandbox
@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("def f(x): return x + 1", "passed"),
        ("print('x' * 2_000_000)\ndef f(x):\n    print('y' * 2_000_000)\n    return x + 1", "passed"),
        ("print('x' * 2_000_000)\ndef f(x): return x", "runtime_error"),
        ("def f(x): return x", "runtime_error"),
        ("import os; os._exit(0)", "runtime_error"),
        ("import sys; sys.exit(0)", "runtime_error"),
        ("import os; os.execv('/bin/true', ['true'])", "runtime_error"),
        ("raise SystemExit", "runtime_error"),
        ("import builtins; builtins.print = lambda *a: None\ndef f(x): return 7", "runtime_error"),
        ("import builtins; builtins.exec = builtins.compile = lambda *a, **k: None\ndef f(x): return 7", "runtime_error"),
        ("import sys, inside.modules as m; m.exec = lambda *a: None\ndef f(x): return 7", "runtime_error"),
        ("print(open(__import__('sys').argv[0]).read())", "runtime_error"),
        ("while True: pass", "timeout"),
        ("def f(", "compile_error"),
        ("", "empty_answer"),
    ],
)
def test_a_whole_program_passes_only_at_its_end(program: str, status: str) -> None:
    assert judge_program(program, "assert f(1) == 2", limits=QUICK).status == status


@needs_sandbox
def test_whole_programs_of_other_languages_print_the_nonce_at_their_end() -> None:
    c = "#include <assert.h>\n#include <stdlib.h>\nint f(int x) { %s }\nint main(void) { assert(f(1) == 2);\n}"
    assert judge_program(c % "return x + 1;", language="c").status == "passed"
    assert judge_program(c % "return x;", language="c").status == "runtime_error"
    assert judge_program(c % "exit(0);", language="c").status == "runtime_error"
    assert judge_program(c % "return y;", language="c").status == "compile_error"
    assert judge_program("f() { echo 2; }", '[ "$(f)" = 2 ] || exit 1', "shell").status == "passed"
    assert judge_program("exit 0", '[ "$(f)" = 2 ] || exit 1', "shell").status == "runtime_error"


def test_what_cannot_be_judged_is_said() -> None:
    with pytest.raises(UsageError, match="not in 'c'"):
        judge("int f;", "f", [], [], language="c")
    with pytest.raises(UsageError, match="1 inputs and 2 expected"):
        judge("x", "f", [[1]], [1, 2])
    with pytest.raises(UsageError, match="cannot be sent"):
        judge("x", "f", [[object()]], [1])
    with pytest.raises(UsageError, match="closing braces"):
        judge_program("int x;", language="c")
