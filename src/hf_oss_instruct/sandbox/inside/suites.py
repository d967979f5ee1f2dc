"""Run single tests against programs, each program in its own fork; the result of each test goes to the memory channel.

A test has passed if its line was written after it returned. Because program and tests share a process, everything the program
could replace (assertions, equality, builtin functions, the framework) is saved before it starts and checked after every test.
Tests that only check plain return values are graded outside instead (`sandbox/judging/python_tests.py`).
"""

from __future__ import annotations

import builtins
import gc
import json
import mmap
import os
import resource
import select
import signal
import sys
import time
import types
import unittest
from typing import Any, NoReturn

from . import frame_guard, frameworks, modules

SHOWN = 300
TEST_CPU_S, TEST_WALL_S = 2.0, 6.0  # seconds for one test of a solution
LEAST_S, TIMES = 0.1, 16  # a mutant's processor seconds: so many times those of the solution, in steps of two, at least these


def run() -> None:
    """Read the job from standard input, a JSON object, and run it.

    `programs`: texts; `runs`: for each run the number of a program, its limits `cpu_s` and `wall_s` (0: by the first run's use),
    the first test, whether the order is reversed, and the time zone; `tests`: the kind, name and text of each; `preamble`;
    `separate`: whether tests have names of their own; `aliases`: modules that stand for the program; `guarded`: whether programs
    are kept from looking at frames; `nonce`.
    """
    channel = mmap.mmap(1, os.fstat(1).st_size)
    job = json.loads(sys.stdin.buffer.read())
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    job["code"] = [_compiled(test["text"], f"test_{number}") for number, test in enumerate(job["tests"])]
    job["before"] = _compiled(job["preamble"], "tests")
    gc.freeze()
    at, used, done = 0, 0.0, 0
    while done < len(job["runs"]):
        group = [done]  # mutants of one program share a process, until one of them ends it
        while job["runs"][done]["cpu_s"] == 0 and group[-1] + 1 < len(job["runs"]) and job["runs"][group[-1] + 1]["cpu_s"] == 0:
            group.append(group[-1] + 1)
        cpu_s = job["runs"][done]["cpu_s"] or _steps(used)
        at, took, finished = _child(job, group, channel, at, cpu_s, nothing)
        used = used if done else took
        done += max(1, finished)


def _compiled(text: str, name: str) -> Any:
    try:
        return compile(text, f"{name}.py", "exec", dont_inherit=True) if text.strip() else None
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"


def _steps(used: float) -> float:
    cpu_s = LEAST_S
    while cpu_s < TIMES * used:
        cpu_s *= 2
    return cpu_s


def _child(
    job: dict[str, Any], group: list[int], channel: mmap.mmap, at: int, cpu_s: float, nothing: int
) -> tuple[int, float, int]:
    """Do several runs in a fork; return where their lines end, the CPU time in seconds, and how many have finished."""
    began, nonce = at, job["nonce"]
    pid = os.fork()
    if not pid:
        try:
            _alone(job, group, channel, at, cpu_s, nothing)
        finally:
            os._exit(0)
    pidfd = os.pidfd_open(pid)
    try:
        done = select.select([pidfd], [], [], job["runs"][group[0]]["wall_s"])[0]
    finally:
        os.close(pidfd)
    if not done:
        _kill(pid)
    _, status, usage = os.wait4(pid, 0)
    _kill(pid)
    at = channel.find(b"\0", at)
    at = len(channel) - 256 if at < 0 else at
    finished = sum(channel.find(f"{nonce} {number} end ".encode(), began) >= 0 for number in group)
    if finished < len(group):
        signalled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        late = not done or signalled in (signal.SIGPROF, signal.SIGXCPU)
        why = "timeout" if late else f"signal {signalled}" if signalled else "it left"
        text = f"\n{nonce} {group[finished]} end {json.dumps(why)}\n".encode()
        channel[at : at + len(text)] = text
        at, finished = at + len(text), finished + 1
    return at, usage.ru_utime + usage.ru_stime, finished


def _kill(pid: int) -> None:
    """Kill the run and the processes it left behind."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            pass


class TimeLimitReached(BaseException):
    """A run has used up its CPU time."""


def _alone(job: dict[str, Any], group: list[int], channel: mmap.mmap, at: int, cpu_s: float, nothing: int) -> NoReturn:
    os.setpgid(0, 0)
    if group[0]:  # keep the solution's own output
        os.dup2(nothing, 2)
    nonce, exit_, find, dumps = job.pop("nonce"), os._exit, channel.find, json.dumps
    guard, variants = Guard(), job["runs"][group[0]]["cpu_s"] == 0
    if job["guarded"]:
        frame_guard.install(frozenset(["tests.py", __file__, *(f"test_{number}.py" for number in range(len(job["tests"])))]))
    for number in group:
        one = job["runs"][number]
        os.environ["TZ"] = one["tz"]
        time.tzset()

        def say(test: int | str, status: str, detail: str, number: int = number) -> None:
            text = f"{nonce} {number} {test} {status} {dumps(detail[:SHOWN])}\n".encode()
            end = find(b"\0", at)
            channel[end : end + len(text)] = text

        if variants:
            _clock(cpu_s, 0)
        else:
            resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s) + 1, int(cpu_s) + 1))
        why = ""
        try:
            _tests(job, one, say, guard, not variants)
        except TimeLimitReached:
            why = "timeout"
        _clock(0, 0)
        text = f"{nonce} {number} end {dumps(why)}\n".encode()
        end = find(b"\0", at)
        channel[end : end + len(text)] = text
    exit_(0)


def _clock(cpu_s: float, wall_s: float) -> None:
    """Raise `TimeLimitReached` after this many seconds of CPU or wall time; 0 for never."""
    for kind, timer, seconds in ((signal.SIGPROF, signal.ITIMER_PROF, cpu_s), (signal.SIGALRM, signal.ITIMER_REAL, wall_s)):
        signal.setitimer(timer, 0)
        signal.signal(kind, _time_is_up)
        signal.setitimer(timer, seconds, max(seconds / 2, 0.1) if seconds else 0)


def _time_is_up(number: int, frame: object) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)  # the second signal kills the process
    raise TimeLimitReached


def _tests(job: dict[str, Any], one: dict[str, Any], say: Any, guard: Guard, timed: bool) -> None:
    path = os.path.abspath("candidate.py")
    with open(path, "w", encoding="utf-8", errors="surrogatepass") as file:
        file.write(job["programs"][one["program"]])
    try:
        module, code = modules.from_file("candidate", path)
        for alias in job["aliases"]:
            sys.modules[alias] = module
        exec(code, module.__dict__)
    except TimeLimitReached:
        raise
    except BaseException as error:
        say("load", "error", _told(error))
        return
    shim = frameworks.install(guard.builtins)
    names: dict[str, Any] = {"__name__": "tests", "__file__": os.path.abspath("tests.py")} if job["separate"] else module.__dict__
    names["__builtins__"] = guard.builtins
    names.update(__same__=guard.same, __honest__=guard.honest)
    guard.hold(shim)
    try:
        if isinstance(job["before"], str):
            raise SyntaxError(job["before"])
        if job["before"]:
            exec(job["before"], names)
    except TimeLimitReached:
        raise
    except BaseException as error:
        say("load", "error", f"before the tests: {_told(error)}")
        return
    order = range(one["first"], len(job["tests"]))
    for number in reversed(order) if one["reversed"] else order:
        try:
            if timed:
                _clock(TEST_CPU_S, TEST_WALL_S)
            status, detail = _one(job, number, names, shim)
        except TimeLimitReached:
            if not timed:
                raise
            status, detail = "failed", "timeout"
        if timed:
            _clock(0, 0)
        if status == "passed" and (changed := guard.changed()):
            status, detail = "failed", f"it changed {changed}"
        say(number, status, detail)


def _one(job: dict[str, Any], number: int, names: dict[str, Any], shim: frameworks.Shim) -> tuple[str, str]:
    test, code = job["tests"][number], job["code"][number]
    try:
        if isinstance(code, str):
            return "failed", code
        own = names if test["kind"] != "statements" else dict(names) if job["separate"] else names
        if code:
            exec(code, own)
        if test["kind"] == "function":
            shim.call(own[test["name"]], own)
        elif test["kind"] == "method":
            case, _, method = test["name"].partition(".")
            return shim.method(own[case], method)
    except TimeLimitReached:
        raise
    except BaseException as error:
        if isinstance(error, shim.skipped):
            return "skipped", _told(error)
        return "failed", _told(error)
    return "passed", ""


def _told(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except BaseException:
        return type(error).__name__


class Guard:
    """What tests rely on, saved before the program starts."""

    def __init__(self) -> None:
        self.builtins = dict(vars(builtins))
        self._watched: list[tuple[str, Any, dict[str, Any]]] = []
        self._kept = {"builtins": dict(vars(builtins)), "unittest.TestCase": dict(vars(unittest.TestCase))}

    def hold(self, shim: frameworks.Shim) -> None:
        """Restore what the program has changed so far, and watch it from now on."""
        self._watched = []
        for name, owner in (("unittest.TestCase", unittest.TestCase), ("builtins", builtins)):
            for key, value in self._kept[name].items():
                if vars(owner).get(key) is not value:
                    setattr(owner, key, value)
            self._watched.append((name, owner, self._kept[name]))
        self._watched += [(name, owner, dict(vars(owner))) for name, owner in shim.watched()]

    def changed(self) -> str:
        """Name what has changed since then; empty if nothing."""
        for name, owner, kept in self._watched:
            own = vars(owner)
            for key, value in kept.items():
                if own.get(key) is not value:
                    return f"{name}.{key}"
        return ""

    def honest(self, *values: Any) -> Any:
        """Return the values if none of them claims to be equal to everything."""
        for value in values:
            _probe(value, 0)
        return values

    def same(self, one: Any, other: Any) -> bool:
        """Compare honest values with `==`."""
        _probe(one, 0)
        _probe(other, 0)
        return bool(one == other)


class Stranger:
    """Equal to nothing but itself."""


PLAIN = frozenset({int, float, str, bytes, bool, type(None), complex, range, types.FunctionType, type})
_DEEPEST, _MOST = 6, 200


def _probe(value: Any, depth: int) -> None:
    kind = type(value)
    if kind in PLAIN or depth > _DEEPEST:
        return
    if kind in (list, tuple, set, frozenset):
        for item in list(value)[:_MOST]:
            _probe(item, depth + 1)
    elif kind is dict:
        for key, item in list(value.items())[:_MOST]:
            _probe(key, depth + 1)
            _probe(item, depth + 1)
    elif kind.__module__ not in ("unittest.mock", frameworks.__name__) and isinstance(
        kind.__dict__.get("__eq__"), types.FunctionType
    ):
        try:
            equal = value == Stranger()
        except Exception:
            return
        if equal is True or (
            type(equal) is not bool and kind.__module__ == "candidate" and equal is not NotImplemented and equal
        ):
            raise AssertionError(f"an object of {kind.__name__} says that it is equal to anything")
