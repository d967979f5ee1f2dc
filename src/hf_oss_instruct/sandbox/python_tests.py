"""Judge Python programs by test statements, outside the program's process where the tests only check return values.

Three processes are involved: the tests run once without the program and record the calls they make and the values they expect;
the program's process answers the calls; the answers are compared here. Whatever a program patches, it must return the correct
values. Other tests (state, output, objects) run in the program's process, see `judge_program`; `Judgement.outside` says which.
"""

from __future__ import annotations

import builtins
import json
import math
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from hf_oss_instruct.sandbox.inside import hash_collisions, values
from hf_oss_instruct.sandbox.judge import Judgement, ask, for_answers, judge_program, unanswered
from hf_oss_instruct.sandbox.limits import Execution, Limits
from hf_oss_instruct.sandbox.python_checks import PLAIN_TYPES, read
from hf_oss_instruct.sandbox.run import run_program

MOST_CHECKS = 10_000
RECORDING = Limits(cpu_s=10.0, wall_s=120.0, memory_mib=2048, output_bytes=16 << 20)
_ERRORS = (TypeError, ValueError, ArithmeticError, LookupError, RecursionError, AttributeError, MemoryError)
_TYPES = {name: getattr(builtins, name) for name in PLAIN_TYPES}
Answers = Iterator[tuple[str, str] | None]
"""Kind and text of the answer to each call, in order."""


@dataclass(frozen=True, slots=True)
class Iterated:
    """The items of a generator or view that a program returned: not equal to a list, but `list`, `sorted` etc. accept it."""

    items: list[Any]


class _CallFailedError(Exception):
    """A call in a check gave no value.

    Args:
        status: one of `judge.STATUSES`.
        detail: the reason.
        kinds: class names of the exception that was raised, base classes included.
    """

    def __init__(self, status: str, detail: str, kinds: Sequence[str] = ()) -> None:
        self.status, self.detail, self.kinds = status, detail, kinds


def judge_tests(
    program: str, tests: str, limits: Limits | None = None, *, entry_point: str = "", tier: str | None = None
) -> Judgement:
    """Judge a Python program by test statements.

    Args:
        program: source code of the program.
        tests: statements to run after it; functions `test…` and methods of unittest test cases are run too if all of them are
            checks.
        limits: resource limits of the program.
        entry_point: the tested function, if known.
        tier: name of a sandbox tier, see `run_program`.

    Returns:
        The verdict; `outside` says how it was reached. `per_input` has an entry per check, or a single one for all tests.

    Raises:
        SandboxError: no sandbox works on this machine.
    """
    if not program.strip():
        return Judgement("empty_answer", [False])
    checks = _recorded(tests, entry_point, tier)
    if checks is None:
        return judge_program(program, tests, limits=limits, tier=tier)
    calls = [call for check in checks for call in _calls(check)]
    nonces, said, ran = ask(program, "", calls, for_answers(limits), tier)
    answers, clock = iter([said.get(nonce) for nonce in nonces]), hash_collisions.Clock()
    verdicts = [_verdict(check, answers, ran, clock) for check in checks]
    status, detail = next((verdict for verdict in verdicts if verdict[0] != "passed"), ("passed", ""))
    found = Judgement(status, [verdict[0] == "passed" for verdict in verdicts], ran, detail)
    return replace(found, outside=True)


def graded_outside(tests: str, entry_point: str = "", tier: str | None = None) -> bool:
    """Whether tests can be graded outside the program's process.

    Args:
        tests: the test statements.
        entry_point: the tested function, if known.
        tier: name of a sandbox tier, see `run_program`.
    """
    return _recorded(tests, entry_point, tier) is not None


def _recorded(tests: str, entry_point: str, tier: str | None) -> list[Any] | None:
    """Record the checks of the tests with their expected values; None if they must run in the program's process."""
    return recorded((tests,), entry_point, tier)[0]


@lru_cache(maxsize=256)
def recorded(
    tests: tuple[str, ...], entry_point: str = "", tier: str | None = None, packages: tuple[str, ...] = ()
) -> tuple[list[Any] | None, ...]:
    """Record the checks of several tests, in one run without the program.

    Args:
        tests: source code of each test; they share no names.
        entry_point: the tested function, if known.
        tier: name of a sandbox tier, see `run_program`.
        packages: as of `run_program`.

    Returns:
        For each test, its checks with expected values, for `judge_checks`; None if it must run in the program's process.
    """
    scripts = [read(text, entry_point) for text in tests]
    texts = [script for script in scripts if script is not None]
    if not texts:
        return (None,) * len(tests)
    nonce = secrets.token_hex(16)
    harness = f"if __name__ == '__main__':\n    from inside import record_checks\n    record_checks.record({nonce!r})\n"
    files = {"tests.json": json.dumps(texts).encode()}
    ran = run_program(harness, files=files, limits=RECORDING, tier=tier, packages=packages)
    parts = iter(ran.stdout.split(f"{nonce}\n") if ran.status == "ok" else [])
    return tuple(None if script is None else _trees(next(parts, "")) for script in scripts)


def _trees(text: str) -> list[Any] | None:
    lines = text.split("\n")[:-1]
    if not 0 < len(lines) <= MOST_CHECKS or lines[-1] == "other":
        return None
    try:
        return [values.loads(line) for line in lines]
    except values.NotPlainValueError:
        return None


def judge_checks(
    program: str,
    tests: Sequence[Sequence[Any]],
    limits: Limits | None = None,
    *,
    tier: str | None = None,
    packages: tuple[str, ...] = (),
) -> tuple[list[tuple[str, str]], Execution]:
    """Judge a program by the recorded checks of several tests, in one run.

    Args:
        program: source code of the program.
        tests: the checks of each test, from `recorded`.
        limits: resource limits of the program.
        tier: name of a sandbox tier, see `run_program`.
        packages: as of `run_program`.

    Returns:
        Status and detail of each test (those of its first failed check; `odd` if an answer is not a plain value), and the run.
    """
    calls = [[call for check in checks for call in _calls(check)] for checks in tests]
    nonces, said, ran = ask(program, "", [call for of_test in calls for call in of_test], for_answers(limits), tier, packages)
    answers, clock = iter([said.get(nonce) for nonce in nonces]), hash_collisions.Clock()
    found = []
    for checks, of_test in zip(tests, calls, strict=True):
        own = [next(answers) for _ in of_test]
        each = iter(own)
        verdicts = [_verdict(check, each, ran, clock) for check in checks]
        odd = any(answer is not None and answer[0] == "odd" for answer in own)
        first = next((verdict for verdict in verdicts if verdict[0] != "passed"), ("passed", ""))
        found.append(("odd", first[1]) if odd else first)
    return found, ran


_MATRIX = "if __name__ == '__main__':\n    from inside import matrix_calls\n    matrix_calls.run()\n"
_ANSWER = re.compile(r"^([0-9a-f]{32}) (\w+) (\w+) (.*)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ProgramVerdicts:
    """What the checks of several tests say of one program.

    Attributes:
        tests: status and detail of each test, as of `judge_checks`; None if the program did not answer every call with a plain
            value or an exception, and has to be judged alone.
        load_error: the exception that ended the program before its first call.
    """

    tests: list[tuple[str, str]] | None = None
    load_error: str = ""


def judge_programs(
    programs: Sequence[str],
    tests: Sequence[Sequence[Any]],
    limits: Limits | None = None,
    *,
    tier: str | None = None,
    packages: tuple[str, ...] = (),
) -> list[ProgramVerdicts]:
    """Judge several programs by the recorded checks of the same tests, all in one sandbox, each program in a fork of its own.

    Args:
        programs: source code of each program.
        tests: the checks of each test, from `recorded`.
        limits: resource limits of each program.
        tier: name of a sandbox tier, see `run_program`.
        packages: as of `run_program`.

    Returns:
        What is known of each program.
    """
    limits = for_answers(limits)
    calls = [[call for check in checks for call in _calls(check)] for checks in tests]
    texts = [values.dumps(list(call), exact=True) for of_test in calls for call in of_test]
    nonces = [secrets.token_hex(16) for _ in programs]
    job = {"nonces": nonces, "programs": list(programs), "calls": texts, "cpu_s": limits.cpu_s, "wall_s": limits.wall_s}
    whole = replace(limits, cpu_s=limits.cpu_s * len(programs), wall_s=limits.wall_s * len(programs))
    ran = run_program(_MATRIX, stdin=json.dumps(job), limits=whole, tier=tier, stdout_as_memory=True, packages=packages)
    said: dict[str, dict[str, tuple[str, str]]] = {nonce: {} for nonce in nonces}
    for line in _ANSWER.finditer(ran.stdout):
        if line[1] in said:
            said[line[1]].setdefault(line[2], (line[3], line[4]))
    clock = hash_collisions.Clock()
    found = []
    for own in said.values():
        answers = [own.get(str(at), ("odd", "")) for at in range(len(texts))]
        if "load" in own:
            found.append(ProgramVerdicts(load_error=own["load"][1].strip("'\"")))
        elif any(kind == "odd" for kind, _ in answers):
            found.append(ProgramVerdicts())
        else:
            found.append(ProgramVerdicts(_of_tests(tests, iter(answers), ran, clock)))
    return found


def _of_tests(
    tests: Sequence[Sequence[Any]], answers: Answers, ran: Execution, clock: hash_collisions.Clock
) -> list[tuple[str, str]]:
    """Status and detail of each test: those of its first failed check."""
    verdicts = [[_verdict(check, answers, ran, clock) for check in checks] for checks in tests]
    return [next((one for one in of_test if one[0] != "passed"), ("passed", "")) for of_test in verdicts]


def _calls(tree: Any) -> Iterator[list[Any]]:
    """Yield the name, positional and keyword arguments of each call, in the order in which `_value` visits them."""
    kind, *rest = tree
    if kind == "call":
        yield rest
    elif kind == "raises":
        yield from _calls(rest[1])
    elif kind == "op":
        for child in rest[1]:
            yield from _calls(child)


def _verdict(check: Any, answers: Answers, ran: Execution, clock: hash_collisions.Clock) -> tuple[str, str]:
    """Decide the status and detail of a check."""
    own = iter([next(answers) for _ in _calls(check)])
    kind, *rest = check
    try:
        if kind == "raises":
            value = _value(rest[1], own, ran, clock)
            return "wrong_answer", f"{' or '.join(rest[0])} was not raised, but returned: {value!r:.200}"
        right = bool(_value(check, own, ran, clock))
    except _CallFailedError as failed:
        if kind == "raises" and set(failed.kinds) & set(rest[0]):
            return "passed", ""
        return failed.status, failed.detail
    except _ERRORS as error:
        return "wrong_answer", f"{type(error).__name__}: {error}"[:500]
    return ("passed", "") if right else ("wrong_answer", f"AssertionError: {_shown(check)}"[:500])


def _value(tree: Any, answers: Answers, ran: Execution, clock: hash_collisions.Clock) -> Any:
    kind, *rest = tree
    if kind == "value":
        return rest[0]
    if kind == "call":
        return _answer(next(answers), ran, clock)
    name, children = rest
    given = [_value(child, answers, ran, clock) for child in children]
    if name in ("set", "frozenset"):
        return clock.fill(set(), list(_items(given[0])))
    if name == "same count":
        return _count(given[0], clock) == _count(given[1], clock)
    if name in _OF_ITEMS:
        return _OF_ITEMS[name](_items(given[0]))
    if any(isinstance(value, Iterated) for value in given):
        return name == "!=" or (name == "in" and isinstance(given[1], Iterated) and given[0] in given[1].items)
    return _OPERATIONS[name](*given)


def _answer(said: tuple[str, str] | None, ran: Execution, clock: hash_collisions.Clock) -> Any:
    if said is None:
        raise _CallFailedError(unanswered(ran), "it ended before its last test")
    kind, text = said
    if kind == "compile_error":
        raise _CallFailedError("compile_error", text)
    if kind == "raised":
        kinds, _, message = text.strip("'\"").partition(": ")
        raise _CallFailedError("runtime_error", f"{kinds.partition('|')[0]}: {message}", kinds.split("|"))
    if kind not in ("returned", "iterated"):
        raise _CallFailedError("wrong_answer", text)
    value = values.loads(text, clock)
    return Iterated(value) if kind == "iterated" else value


def _items(value: Any) -> Any:
    return value.items if isinstance(value, Iterated) else value


def _count(value: Any, clock: hash_collisions.Clock) -> Any:
    items = list(_items(value))
    clock.fill(set(), items)
    return Counter(items)


def _equal(one: Any, other: Any) -> bool:
    """Compare with `==` as for two separately created values, so that values containing NaN are not equal."""
    return bool(one == other) and not _holds_nan(one)


def _holds_nan(value: Any) -> bool:
    if isinstance(value, float | complex):
        return value != value
    if isinstance(value, dict):
        return any(map(_holds_nan, value)) or any(map(_holds_nan, value.values()))
    return isinstance(value, list | tuple | set | frozenset) and any(map(_holds_nan, value))


def _almost(one: Any, other: Any, places: Any, delta: Any) -> bool:
    """Compare like `unittest.TestCase.assertAlmostEqual`."""
    if one == other:
        return True
    difference = abs(one - other)
    return bool(difference <= delta if delta is not None else round(difference, places) == 0)


def _approx(value: Any, expected: Any, rel: Any, most: Any) -> bool:
    """Compare like `pytest.approx`, for numbers, lists, tuples and dicts."""
    if isinstance(expected, list | tuple):
        alike = type(value) is type(expected) and len(value) == len(expected)
        return alike and all(_approx(one, other, rel, most) for one, other in zip(value, expected, strict=True))
    if isinstance(expected, dict):
        alike = isinstance(value, dict) and value.keys() == expected.keys()
        return alike and all(_approx(value[key], expected[key], rel, most) for key in expected)
    if isinstance(expected, bool) or not isinstance(expected, int | float | complex) or value == expected:
        return bool(value == expected)
    if math.isinf(abs(expected)) or not isinstance(value, int | float | complex):
        return False
    relative = (1e-6 if most is None else 0.0) if rel is None else rel
    return bool(abs(value - expected) <= max(relative * abs(expected), 1e-12 if most is None else most))


def _shown(tree: Any) -> str:
    """Format a check for messages."""
    kind, *rest = tree
    if kind == "value":
        return f"{rest[0]!r:.100}"
    if kind == "call":
        given = [*map(repr, rest[1]), *(f"{name}={value!r}" for name, value in rest[2].items())]
        return f"{rest[0]}({', '.join(given)[:200]})"
    name, children = rest
    return f" {name} ".join(map(_shown, children)) if len(children) == 2 else f"{name}({', '.join(map(_shown, children))})"


_OF_ITEMS: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "tuple": tuple,
    "sorted": sorted,
    "sum": sum,
    "min": min,
    "max": max,
    "any": any,
    "all": all,
}
_OPERATIONS: dict[str, Callable[..., Any]] = {
    "==": _equal,
    "!=": lambda one, other: not _equal(one, other),
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "in": lambda one, other: one in other,
    "not in": lambda one, other: one not in other,
    "is": lambda one, other: one is other or (type(one) is type(other) and one == other),
    "is not": lambda one, other: not (one is other or (type(one) is type(other) and one == other)),
    "not": lambda value: not value,
    "negative": lambda value: -value,
    "-": lambda one, other: one - other,
    "+": lambda one, other: one + other,
    "abs": abs,
    "len": len,
    "round": round,
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "item": lambda value, place: value[place],
    "isinstance": lambda value, names: isinstance(value, tuple(_TYPES[name] for name in names)),
    "isclose": lambda one, other, rel, most: math.isclose(one, other, rel_tol=rel, abs_tol=most),
    "almost": _almost,
    "approx": _approx,
}
